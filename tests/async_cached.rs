//! `#[async_cached]`: keys, flights, freshness, handles.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::Cell;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures::future::{join_all, poll_immediate};
use futures::{FutureExt, join, pin_mut};
use steadfast::{Cache, async_cached, offload_blocking};
use tokio::sync::Semaphore;
use tokio::time::{advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Counts the runs of a body.
struct Runs(AtomicUsize);

impl Runs {
    const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    fn add(&self) -> usize {
        self.0.fetch_add(1, SeqCst) + 1
    }

    fn get(&self) -> usize {
        self.0.load(SeqCst)
    }
}

mod keys {
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
}

mod instances {
    use super::*;

    struct Repo<T>(std::marker::PhantomData<T>);

    impl<T: Default + std::fmt::Display + Send + Sync> Repo<T> {
        #[async_cached]
        async fn name(n: u8) -> String {
            format!("{n}{}{}", T::default(), size_of::<T>())
        }

        #[async_cached(handle = Self::cache)]
        async fn size(n: u8) -> usize {
            size_of::<T>() + usize::from(n)
        }
    }

    #[tokio::test]
    async fn one_cache_for_each_instantiation_of_a_generic_impl() {
        assert_eq!(Repo::<u8>::name(1).await, "101");
        assert_eq!(Repo::<u64>::name(1).await, "108");
        assert_eq!(Repo::<String>::name(1).await, "124");
        assert_eq!(Repo::<u8>::name(1).await, "101");
        assert_eq!((Repo::<u8>::size(1).await, Repo::<u64>::size(1).await, Repo::<u16>::size(1).await), (2, 9, 3));
        assert_eq!((Repo::<u8>::cache().get(&1), Repo::<u64>::cache().get(&1)), (Some(2), Some(9)));
    }

    #[tokio::test]
    async fn generic_functions_and_their_handles() {
        #[async_cached(handle = sizes)]
        async fn size<T, const N: usize>(n: u8) -> usize
        where
            T: Send + Sync + 'static,
        {
            size_of::<[T; N]>() + usize::from(n)
        }
        assert_eq!((size::<u8, 2>(0).await, size::<u64, 2>(0).await, size::<u8, 3>(0).await), (2, 16, 3));
        assert_eq!((sizes::<u8, 2>().len(), sizes::<u8, 9>().len()), (1, 0));
    }

    mod one {
        #[steadfast::async_cached]
        pub(super) async fn same(n: u8) -> &'static str {
            let _ = n;
            "one"
        }
    }

    mod two {
        #[steadfast::async_cached]
        pub(super) async fn same(n: u8) -> &'static str {
            let _ = n;
            "two"
        }
    }

    #[tokio::test]
    async fn functions_of_one_name_have_caches_of_their_own() {
        assert_eq!((one::same(1).await, two::same(1).await), ("one", "two"));
        assert_eq!((one::same(1).await, two::same(1).await), ("one", "two"));
    }

    static SHARED: Cache<u64, u64> = Cache::new(100);

    #[async_cached(cache = SHARED)]
    async fn double(n: u64) -> u64 {
        n * 2
    }

    #[async_cached(cache = SHARED)]
    async fn fallible(n: u64) -> Result<u64, io::Error> {
        Err(io::Error::other(n.to_string()))
    }

    #[tokio::test]
    async fn a_static_is_shared_by_functions() {
        assert!(fallible(4).await.is_err());
        assert_eq!(double(4).await, 8);
        assert_eq!(fallible(4).await.unwrap(), 8);
        assert_eq!(SHARED.stats().hits, 1);
    }
}

mod flights {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Shared(usize);

    #[derive(Debug, PartialEq)]
    struct NotClone(usize);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_thousand_callers_of_a_cold_key_run_the_body_once() {
        static RUNS: Runs = Runs::new();
        static GATE: Semaphore = Semaphore::const_new(0);
        #[async_cached(handle = loads)]
        async fn load(id: u32) -> u32 {
            RUNS.add();
            let _ = GATE.acquire().await;
            id + 1
        }
        let callers: Vec<_> = (0..1_000).map(|_| tokio::spawn(load(1))).collect();
        while loads().stats().coalesced < 999 {
            tokio::task::yield_now().await;
        }
        GATE.add_permits(1_000);
        for caller in callers {
            assert_eq!(caller.await.unwrap(), 2);
        }
        assert_eq!(RUNS.get(), 1);
        let stats = loads().stats();
        assert_eq!((stats.misses, stats.loads, stats.coalesced, stats.hits), (1_000, 1, 999, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_with_all_who_wait() {
        static RUNS: Runs = Runs::new();
        #[async_cached(handle = loads)]
        async fn load(id: u32) -> Result<u32, Shared> {
            sleep(SECOND).await;
            let _ = id;
            Err(Shared(RUNS.add()))
        }
        let outcomes = join_all((0..1_000).map(|_| load(1))).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Err(Shared(1))));
        assert_eq!(RUNS.get(), 1);
        assert_eq!(loads().stats().load_errors, 1);
        assert_eq!(load(1).await, Err(Shared(2)));
        assert!(loads().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn none_is_shared_and_not_stored() {
        static RUNS: Runs = Runs::new();
        #[async_cached]
        async fn load(id: u32) -> Option<u32> {
            sleep(SECOND).await;
            let _ = id;
            RUNS.add();
            None
        }
        assert!(join_all((0..100).map(|_| load(1))).await.iter().all(Option::is_none));
        assert_eq!(RUNS.get(), 1);
        load(1).await;
        assert_eq!(RUNS.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_cannot_be_cloned_is_its_callers_own() {
        static RUNS: Runs = Runs::new();
        #[async_cached]
        async fn load(id: u32) -> Result<u32, NotClone> {
            sleep(SECOND).await;
            match RUNS.add() {
                run @ 1..=2 => Err(NotClone(run)),
                _ => Ok(id),
            }
        }
        let mut outcomes = join_all((0..100).map(|_| load(7))).await;
        assert_eq!(outcomes.remove(0), Err(NotClone(1)));
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 1);
        assert_eq!(RUNS.get(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn when_the_computing_caller_is_aborted_the_next_waiter_goes_on() {
        static RUNS: Runs = Runs::new();
        #[async_cached]
        async fn load(id: u32) -> u32 {
            RUNS.add();
            sleep(SECOND).await;
            id
        }
        let leader = tokio::spawn(load(1));
        tokio::task::yield_now().await;
        let callers: Vec<_> = (0..999).map(|_| tokio::spawn(load(1))).collect();
        tokio::task::yield_now().await;
        leader.abort();
        assert!(leader.await.unwrap_err().is_cancelled());
        for caller in callers {
            assert_eq!(caller.await.unwrap(), 1);
        }
        assert_eq!(RUNS.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_the_computing_callers_own() {
        static RUNS: Runs = Runs::new();
        #[async_cached]
        async fn load(id: u32) -> u32 {
            let run = RUNS.add();
            sleep(SECOND).await;
            assert!(run > 1, "first");
            id
        }
        let callers: Vec<_> = (0..1_000).map(|_| tokio::spawn(load(1))).collect();
        let mut panics = 0;
        for caller in callers {
            match caller.await {
                Ok(value) => assert_eq!(value, 1),
                Err(error) => {
                    panics += 1;
                    assert!(error.into_panic().downcast_ref::<&str>().is_some_and(|text| text.contains("first")));
                }
            }
        }
        assert_eq!((panics, RUNS.get()), (1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiter_dropped_just_after_it_was_chosen_passes_the_choice_on() {
        #[async_cached(handle = loads)]
        async fn load(id: u32) -> u32 {
            sleep(SECOND).await;
            id
        }
        let mut leader = Box::pin(load(1));
        let mut first = Box::pin(load(1));
        let mut second = Box::pin(load(1));
        assert!(poll_immediate(&mut leader).await.is_none());
        assert!(poll_immediate(&mut first).await.is_none());
        assert!(poll_immediate(&mut second).await.is_none());
        drop(leader);
        drop(first);
        assert_eq!(tokio::time::timeout(2 * SECOND, second).await, Ok(1));
        assert_eq!(loads().stats().loads, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flight_that_everybody_left_leaves_nothing_behind() {
        static RUNS: Runs = Runs::new();
        #[async_cached]
        async fn load(id: u32) -> u32 {
            RUNS.add();
            sleep(SECOND).await;
            id
        }
        for _ in 0..3 {
            let mut callers: Vec<_> = (0..5).map(|_| Box::pin(load(1))).collect();
            for caller in &mut callers {
                assert!(poll_immediate(caller).await.is_none());
            }
        }
        assert_eq!(RUNS.get(), 3);
        assert_eq!(load(1).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_do_not_wait_for_each_other() {
        #[async_cached]
        async fn fib(n: u32) -> u64 {
            sleep(SECOND).await;
            if n < 2 { u64::from(n) } else { Box::pin(fib(n - 1)).await + Box::pin(fib(n - 2)).await }
        }
        assert_eq!(fib(50).await, 12_586_269_025);
    }

    #[tokio::test(start_paused = true)]
    async fn recursion_on_the_same_key_is_reported() {
        #[async_cached]
        async fn forever(n: u32) -> Result<u32, io::Error> {
            tokio::task::yield_now().await;
            Box::pin(forever(n)).await
        }
        let error = forever(1).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Deadlock);
        assert!(error.to_string().contains("`forever` called itself"), "{error}");
    }

    #[tokio::test]
    #[should_panic(expected = "`forever` called itself with the key that it is computing")]
    async fn recursion_panics_where_the_return_type_carries_no_error() {
        #[async_cached]
        async fn forever(n: u32) -> u32 {
            Box::pin(forever(n)).await
        }
        forever(1).await;
    }

    #[tokio::test(start_paused = true)]
    async fn two_calls_in_one_task_wait_for_each_other() {
        static RUNS: Runs = Runs::new();
        #[async_cached]
        async fn load(id: u32) -> u32 {
            RUNS.add();
            sleep(SECOND).await;
            id
        }
        assert_eq!(join!(load(1), load(1), load(2)), (1, 1, 2));
        assert_eq!(RUNS.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn without_single_flight_everybody_computes() {
        static RUNS: Runs = Runs::new();
        #[async_cached(single_flight = false, handle = loads)]
        async fn load(id: u32) -> u32 {
            RUNS.add();
            sleep(SECOND).await;
            id
        }
        join_all((0..10).map(|_| load(1))).await;
        assert_eq!(RUNS.get(), 10);
        load(1).await;
        assert_eq!(RUNS.get(), 10);
        let during = load(2);
        pin_mut!(during);
        assert!(during.as_mut().now_or_never().is_none());
        loads().invalidate(&2);
        during.await;
        assert!(!loads().contains(&2));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn ten_thousand_callers_with_keys_mixed() {
        static RUNS: Runs = Runs::new();
        #[async_cached(handle = loads)]
        async fn load(id: u32) -> u32 {
            RUNS.add();
            tokio::task::yield_now().await;
            id
        }
        let callers: Vec<_> = (0..10_000_u32).map(|n| tokio::spawn(async move { (n % 100, load(n % 100).await) })).collect();
        for caller in callers {
            let (expected, got) = caller.await.unwrap();
            assert_eq!(expected, got);
        }
        assert_eq!(RUNS.get(), 100);
        let stats = loads().stats();
        assert_eq!((stats.hits + stats.misses, stats.loads + stats.coalesced), (10_000, stats.misses));
    }
}

mod freshness {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_value_is_fresh_for_its_ttl() {
        static RUNS: Runs = Runs::new();
        #[async_cached(ttl = 10s, handle = loads)]
        async fn load(id: u32) -> usize {
            let _ = id;
            RUNS.add()
        }
        assert_eq!(load(1).await, 1);
        advance(Duration::from_millis(9_999)).await;
        assert_eq!(load(1).await, 1);
        advance(Duration::from_millis(1)).await;
        assert_eq!(loads().get(&1), None);
        assert_eq!(load(1).await, 2);
        loads().insert(5, 50);
        assert_eq!(load(5).await, 50);
        advance(10 * SECOND).await;
        assert_eq!(load(5).await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn the_ttl_may_name_the_arguments() {
        static RUNS: Runs = Runs::new();
        #[async_cached(ttl = Duration::from_secs(seconds), skip(name))]
        async fn load(name: String, seconds: u64) -> usize {
            drop(name);
            RUNS.add()
        }
        load(String::new(), 1).await;
        load(String::new(), 100).await;
        advance(2 * SECOND).await;
        load(String::new(), 100).await;
        assert_eq!(RUNS.get(), 2);
        load(String::new(), 1).await;
        assert_eq!(RUNS.get(), 3);
        // Nothing, and for ever.
        assert_eq!((load(String::new(), 0).await, load(String::new(), 0).await), (4, 5));
        assert_eq!((load(String::new(), u64::MAX).await, load(String::new(), u64::MAX).await), (6, 6));
    }

    #[tokio::test(start_paused = true)]
    async fn expired_entries_leave_without_being_asked_for() {
        #[async_cached(ttl = 10s, handle = loads)]
        async fn load(id: u32) -> Arc<u32> {
            Arc::new(id)
        }
        let watched = load(0).await;
        for id in 1..1_000 {
            load(id).await;
        }
        assert_eq!(loads().len(), 1_000);
        advance(10 * SECOND).await;
        assert_eq!(Arc::strong_count(&watched), 2);
        // Each call that computes clears a few away; so does a hit.
        for id in 1_000..1_300 {
            load(id).await;
        }
        assert_eq!(Arc::strong_count(&watched), 1);
        assert_eq!(loads().len(), 300);
        assert_eq!(loads().stats().expirations, 1_000);
        advance(9 * SECOND).await;
        load(5_000).await;
        advance(2 * SECOND).await;
        for _ in 0..100 {
            load(5_000).await;
        }
        assert_eq!(loads().stats().expirations, 1_300);
    }

    #[tokio::test(start_paused = true)]
    async fn errors_and_absences_are_remembered_for_a_time_of_their_own() {
        static RUNS: Runs = Runs::new();
        #[async_cached(error_ttl = 2s, ttl = 10s, handle = loads)]
        async fn load(id: usize) -> Result<usize, String> {
            let run = RUNS.add();
            if run == id { Ok(id) } else { Err(format!("run {run}")) }
        }
        #[async_cached(none_ttl = 2s)]
        async fn find(id: usize) -> Option<usize> {
            let run = RUNS.add();
            (run > id).then_some(run)
        }
        assert_eq!(load(2).await, Err("run 1".to_owned()));
        assert_eq!(load(2).await, Err("run 1".to_owned()));
        assert_eq!(loads().get(&2), None);
        advance(2 * SECOND).await;
        assert_eq!(load(2).await, Ok(2));
        assert_eq!(loads().stats().load_errors, 1);

        assert_eq!((find(3).await, find(3).await), (None, None));
        assert_eq!(RUNS.get(), 3);
        advance(2 * SECOND).await;
        assert_eq!((find(3).await, find(3).await), (Some(4), Some(4)));
    }

    #[tokio::test(start_paused = true)]
    async fn refresh_if_computes_anew_under_the_same_key() {
        static RUNS: Runs = Runs::new();
        #[async_cached(refresh_if = force, handle = loads)]
        async fn load(id: u32, force: bool) -> Result<usize, ()> {
            let _ = id;
            let run = RUNS.add();
            if run == 3 { Err(()) } else { Ok(run) }
        }
        assert_eq!(load(1, false).await, Ok(1));
        assert_eq!(load(1, true).await, Ok(2));
        assert_eq!(load(1, false).await, Ok(2));
        // A failed refresh leaves what was there.
        assert_eq!(load(1, true).await, Err(()));
        assert_eq!(load(1, false).await, Ok(2));
        let _: &Cache<u32, usize> = loads();
    }

    #[tokio::test(start_paused = true)]
    async fn a_refresh_supersedes_a_load_under_way() {
        static RUNS: Runs = Runs::new();
        #[async_cached(refresh_if = force)]
        async fn load(id: u32, force: bool) -> usize {
            let _ = id;
            let run = RUNS.add();
            sleep(if run == 1 { 3 * SECOND } else { SECOND }).await;
            run
        }
        let slow = tokio::spawn(load(1, false));
        tokio::task::yield_now().await;
        assert_eq!(load(1, true).await, 2);
        assert_eq!(slow.await.unwrap(), 1);
        assert_eq!(load(1, false).await, 2);
    }
}

mod invalidation {
    use super::*;

    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[async_cached(handle = loads)]
    async fn load(id: u32) -> (u32, u32) {
        let run = RUNS.fetch_add(1, SeqCst);
        sleep(SECOND).await;
        (id, run)
    }

    #[tokio::test(start_paused = true)]
    async fn wins_over_a_computation_that_began_before() {
        for (id, act) in [(1, (|| loads().invalidate(&1)) as fn()), (2, || loads().clear()), (3, || loads().insert(3, (3, 1_000)))]
        {
            let leader = tokio::spawn(load(id));
            let waiter = tokio::spawn(load(id));
            sleep(SECOND / 2).await;
            act();
            let later = tokio::spawn(load(id));
            sleep(SECOND * 2 / 3).await;
            let (leader, waiter) = (leader.await.unwrap(), waiter.await.unwrap());
            assert_eq!(leader, waiter, "the waiters are still served");
            if id == 3 {
                assert_eq!(loads().get(&id), Some((3, 1_000)));
                assert_eq!(later.await.unwrap(), (3, 1_000));
            } else {
                assert_eq!(loads().get(&id), None, "what it brought is not stored");
                let later = later.await.unwrap();
                assert_eq!(later.1, leader.1 + 1, "a later caller does not join it");
                assert_eq!(loads().get(&id), Some(later));
            }
        }
    }
}

mod bounds {
    use super::*;

    #[tokio::test]
    async fn a_tiny_capacity_holds_what_it_says() {
        for capacity in [1, 2, 3, 10, 100, 257, 1_000] {
            let cache: Cache<usize, usize> = Cache::new(capacity);
            for n in 0..capacity * 4 {
                cache.insert(n, n);
                assert_eq!(cache.get(&n), Some(n), "the newest entry of {capacity} is there");
                assert!(cache.len() <= capacity, "{} of {capacity}", cache.len());
            }
            assert!(cache.len() * 2 >= capacity, "{} of {capacity} are used", cache.len());
            assert_eq!(cache.stats().evictions, (capacity * 4 - cache.len()) as u64);
        }
    }

    #[tokio::test]
    async fn capacity_is_an_expression_and_unbounded_must_be_asked_for() {
        const FEW: u8 = 3;
        #[async_cached(capacity = FEW, handle = few)]
        async fn small(n: u32) -> u32 {
            n
        }
        #[async_cached(unbounded, handle = all)]
        async fn large(n: u32) -> u32 {
            n
        }
        #[async_cached(handle = usual)]
        async fn default(n: u32) -> u32 {
            n
        }
        for n in 0..20_000 {
            small(n).await;
            large(n).await;
            default(n).await;
        }
        assert_eq!((few().len(), all().len()), (3, 20_000));
        assert!((9_000..=10_000).contains(&usual().len()), "{}", usual().len());
    }

    #[tokio::test]
    async fn values_are_dropped_outside_of_the_locks() {
        static CACHE: Cache<u32, Arc<Dropped>> = Cache::new(1);
        static DROPPED: AtomicU32 = AtomicU32::new(0);
        struct Dropped;
        impl Drop for Dropped {
            fn drop(&mut self) {
                DROPPED.fetch_add(1, SeqCst);
                CACHE.invalidate(&99);
                let _ = CACHE.len();
            }
        }
        for n in 0..10 {
            CACHE.insert(n, Arc::new(Dropped));
        }
        CACHE.insert(9, Arc::new(Dropped));
        CACHE.invalidate(&9);
        CACHE.insert(1, Arc::new(Dropped));
        CACHE.clear();
        assert_eq!(DROPPED.load(SeqCst), 12);
    }
}

#[tokio::test]
async fn over_a_blocking_function() {
    static THREADS: std::sync::Mutex<Vec<std::thread::ThreadId>> = std::sync::Mutex::new(Vec::new());
    #[async_cached]
    #[offload_blocking]
    fn digest(text: String) -> usize {
        THREADS.lock().unwrap().push(std::thread::current().id());
        text.len()
    }
    assert_eq!((digest("abc".to_owned()).await, digest("abc".to_owned()).await), (3, 3));
    let threads: HashSet<_> = THREADS.lock().unwrap().iter().copied().collect();
    assert_eq!(threads.len(), 1);
    assert!(!threads.contains(&std::thread::current().id()));
}

#[tokio::test]
async fn peeking_changes_no_stats() {
    #[async_cached(handle = loads)]
    async fn load(id: u32) -> u32 {
        id
    }
    load(1).await;
    let before = loads().stats();
    assert_eq!((loads().get(&1), loads().get(&2), loads().contains(&1)), (Some(1), None, true));
    assert_eq!(loads().stats(), before);
}
