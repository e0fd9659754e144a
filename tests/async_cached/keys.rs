//! What the key of a call is.

use super::*;

#[tokio::test]
async fn all_arguments_are_the_key_and_compared_by_eq() {
    static RUNS: Runs = Runs::new();
    #[async_cached]
    async fn both(a: &str, b: &str) -> String {
        RUNS.add();
        format!("{a}|{b}")
    }
    assert_eq!(both("a", "bc").await, "a|bc");
    assert_eq!(both("ab", "c").await, "ab|c");
    assert_eq!(both("a", "bc").await, "a|bc");
    assert_eq!(RUNS.get(), 2);
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct SameHash(u32);

impl Hash for SameHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        0_u8.hash(state);
    }
}

#[tokio::test]
async fn colliding_hashes_never_give_anothers_value() {
    #[async_cached(ttl = 5s, handle = squares)]
    async fn square(n: SameHash) -> u32 {
        n.0 * n.0
    }
    for _ in 0..2 {
        for n in 0..50 {
            assert_eq!(square(SameHash(n)).await, n * n);
        }
    }
    assert_eq!(squares().stats().loads, 50);
    squares().invalidate(&SameHash(7));
    assert_eq!((squares().get(&SameHash(7)), squares().get(&SameHash(8))), (None, Some(64)));
}

#[tokio::test]
async fn options_and_widths_are_told_apart() {
    #[async_cached]
    async fn say<T: Hash + Eq + Clone + Send + Sync + std::fmt::Debug + 'static>(what: T) -> String {
        format!("{what:?}:{}", std::any::type_name::<T>())
    }
    assert_eq!(say(1_u8).await, "1:u8");
    assert_eq!(say(1_u64).await, "1:u64");
    assert_eq!(say(Some(0)).await, "Some(0):core::option::Option<i32>");
    assert_eq!(say(None::<i32>).await, "None:core::option::Option<i32>");
    assert_eq!(say(1_u8).await, "1:u8");
}

#[tokio::test]
async fn borrowed_forms() {
    #[async_cached(handle = seen)]
    async fn all(
        text: &str,
        bytes: &[u8],
        n: &u32,
        maybe: Option<&str>,
        cow: std::borrow::Cow<'_, str>,
        path: &std::path::Path,
    ) -> usize {
        text.len() + bytes.len() + *n as usize + maybe.map_or(0, str::len) + cow.len() + path.as_os_str().len()
    }
    let path = std::path::Path::new("p");
    assert_eq!(all("a", b"bc", &1, Some("x"), "y".into(), path).await, 7);
    assert_eq!(all("a", b"bc", &1, Some("x"), "y".into(), path).await, 7);
    assert_eq!(all("a", b"bc", &1, None, "y".into(), path).await, 6);
    assert_eq!(seen().stats().hits, 1);
}

#[tokio::test]
async fn handles_look_up_as_the_function_is_called() {
    #[async_cached(handle = one)]
    async fn by_id(id: u64) -> u64 {
        id
    }
    #[async_cached(handle = text)]
    async fn by_name(name: &str) -> usize {
        name.len()
    }
    #[async_cached(handle = pairs)]
    async fn by_both(id: u64, name: &str) -> usize {
        name.len() + usize::try_from(id).unwrap()
    }
    by_id(7).await;
    by_name("eu").await;
    by_both(7, "eu").await;
    let one: &Cache<u64, u64> = one();
    let text: &Cache<String, usize> = text();
    let pairs: &Cache<(u64, String), usize> = pairs();
    assert_eq!((one.get(&7), text.get("eu"), pairs.get(&(7, "eu"))), (Some(7), Some(2), Some(9)));
    assert_eq!(text.get(&"eu".to_owned()), Some(2));
    assert_eq!(pairs.get(&(7, "eu".to_owned())), Some(9));
    let id = 7;
    assert_eq!(pairs.get(&(&id, "eu")), Some(9));
    pairs.insert((8, "us".to_owned()), 1);
    assert_eq!(by_both(8, "us").await, 1);
    assert_eq!((one.len(), pairs.len()), (1, 2));
}

#[tokio::test]
async fn no_arguments_are_a_key_too() {
    static RUNS: Runs = Runs::new();
    #[async_cached(handle = settings)]
    async fn load() -> usize {
        RUNS.add()
    }
    assert_eq!((load().await, load().await), (1, 1));
    settings().invalidate(&());
    assert_eq!(load().await, 2);
}

#[tokio::test]
async fn skipped_arguments_need_nothing() {
    struct Nothing(Cell<u32>);
    #[async_cached(skip(by, map))]
    async fn get(by: &Nothing, map: &mut Vec<u32>, n: u32) -> u32 {
        by.0.set(by.0.get() + 1);
        map.push(n);
        n
    }
    let (nothing, mut map) = (Nothing(Cell::new(0)), Vec::new());
    for _ in 0..3 {
        get(&nothing, &mut map, 5).await;
    }
    assert_eq!((nothing.0.get(), map), (1, vec![5]));
}

struct Tenant {
    name: String,
    id: u32,
    own: Cache<u64, u64>,
    runs: Runs,
}

impl Tenant {
    fn new(name: &str, id: u32) -> Self {
        Self { name: name.to_owned(), id, own: Cache::new(10), runs: Runs::new() }
    }

    #[async_cached(skip(self), handle = Self::shared_cache)]
    async fn shared(&self, n: u64) -> u64 {
        self.runs.add();
        n
    }

    #[async_cached(key = (&self.name, self.id, n))]
    async fn by_part(&self, n: u64) -> String {
        self.runs.add();
        format!("{}{n}", self.name)
    }

    #[async_cached(cache = self.own)]
    async fn own(&self, n: u64) -> u64 {
        self.runs.add();
        n
    }

    #[async_cached(cache = self.own)]
    async fn own_by_arc(self: Arc<Self>, n: u64) -> u64 {
        let this = self;
        this.runs.add();
        n
    }
}

#[tokio::test]
async fn a_method_says_what_self_is() {
    let (a, b) = (Tenant::new("a", 1), Arc::new(Tenant::new("b", 2)));
    assert_eq!((a.shared(1).await, b.shared(1).await), (1, 1));
    assert_eq!((a.runs.get(), b.runs.get()), (1, 0));
    assert!(Tenant::shared_cache().contains(&1));
    assert_eq!((a.by_part(1).await, b.by_part(1).await, a.by_part(1).await), ("a1".into(), "b1".into(), "a1".into()));
    assert_eq!((a.runs.get(), b.runs.get()), (2, 1));
    a.own(1).await;
    b.own(1).await;
    Arc::clone(&b).own_by_arc(1).await;
    b.own(1).await;
    assert_eq!((a.runs.get(), b.runs.get()), (3, 2));
}

#[tokio::test]
async fn key_expressions() {
    static RUNS: Runs = Runs::new();
    #[async_cached(key = name.to_lowercase(), handle = found: Cache<String, usize>)]
    async fn find(name: &str) -> usize {
        RUNS.add();
        name.len()
    }
    find("Eu").await;
    find("EU").await;
    assert!(found().contains("eu"));
    assert_eq!(RUNS.get(), 1);
}

macro_rules! keyed {
    ($name:ident($argument:ident) by $key:expr) => {
        #[async_cached(key = $key, handle = found: Cache<(String, String), usize>)]
        async fn $name($argument: &(String, Option<String>)) -> usize {
            $argument.0.len()
        }
    };
}

/// An expression is a reference by its type, however it is written: it is looked up as such, and copied for a new entry only.
#[tokio::test]
async fn key_expressions_that_are_references() {
    static RUNS: Runs = Runs::new();
    #[async_cached(key = name.as_str(), handle = by_method: Cache<String, usize>)]
    async fn method(name: String) -> usize {
        RUNS.add();
        name.len()
    }
    #[async_cached(key = path.split('/').next().unwrap_or(""), handle = by_chain: Cache<String, usize>)]
    async fn chain(path: &str) -> usize {
        RUNS.add();
        path.len()
    }
    #[async_cached(key = (*name, id % 10), handle = by_parts: Cache<(String, u32), usize>)]
    async fn parts(name: &&str, id: u32) -> usize {
        RUNS.add();
        name.len() + id as usize
    }
    keyed!(fragment(user) by (user.0.as_str(), user.1.as_deref().unwrap_or("none")));
    for _ in 0..2 {
        method("eu".to_owned()).await;
        chain("a/b").await;
        chain("a/c").await;
        parts(&"eu", 1).await;
        parts(&"eu", 11).await;
        fragment(&("a".to_owned(), None)).await;
    }
    assert_eq!(RUNS.get(), 3);
    assert!(by_method().contains("eu") && by_chain().contains("a") && by_parts().contains(&("eu", 1)));
    assert!(found().contains(&("a", "none")));
}
