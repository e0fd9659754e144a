//! `#[invalidates]`: writes that keep caches true.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(clippy::items_after_statements, reason = "each function stands where it is tested")]

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{join_all, poll_immediate};
use steadfast::{Cache, ReportKind, async_cached, invalidates, offload_blocking, on_report, retry};
use tokio::sync::oneshot;
use tokio::task::yield_now;

type Written = Result<(), String>;

fn failed() -> Written {
    Err("failed".to_owned())
}

#[tokio::test]
async fn the_handle_of_a_cached_function() {
    #[async_cached(handle = users)]
    async fn user(id: u64) -> u64 {
        id
    }
    #[invalidates(users(), key = id)]
    async fn rename(id: u64, ok: bool) -> Written {
        if ok { Ok(()) } else { failed() }
    }
    join_all([user(1), user(2)]).await;
    assert_eq!((rename(1, false).await, users().len()), (failed(), 2));
    assert_eq!((rename(1, true).await, users().get(&1), users().get(&2)), (Ok(()), None, Some(2)));
    assert_eq!(users().in_flight(), 0);
}

static NAMES: Cache<String, u32> = Cache::new(10);
static PAIRS: Cache<(u64, String), u32> = Cache::new(10);

/// A key that counts its clones.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Id(u32);

thread_local! {
    static CLONES: Cell<u32> = const { Cell::new(0) };
}

impl Clone for Id {
    fn clone(&self) -> Self {
        CLONES.set(CLONES.get() + 1);
        Self(self.0)
    }
}

/// Keys that the body consumes, and keys that borrow.
#[tokio::test]
async fn keys_are_kept_while_the_body_has_the_arguments() {
    #[invalidates(NAMES, key = name)]
    async fn by_value(name: String) -> usize {
        drop(name);
        yield_now().await;
        1
    }
    #[invalidates(NAMES, key = name)]
    async fn by_reference(name: &str) -> usize {
        name.len()
    }
    #[invalidates(NAMES, key = name.trim())]
    async fn computed(name: String) -> usize {
        drop(name);
        1
    }
    #[invalidates(NAMES, key = &name)]
    async fn referred(name: String) -> usize {
        drop(name);
        1
    }
    #[invalidates(NAMES, key = format!("{first}{last}"))]
    async fn made(first: &str, last: char) -> bool {
        first.ends_with(last)
    }
    #[invalidates(PAIRS, key = (tenant, name))]
    async fn pair(tenant: u64, name: &str) -> bool {
        tenant > 0 && !name.is_empty()
    }
    #[invalidates(PAIRS, key = pair)]
    async fn whole(pair: (u64, String)) -> u64 {
        pair.0
    }
    let name = || "ab".to_owned();
    for write in [
        by_value(name()).map(drop).boxed(),
        by_reference("ab").map(drop).boxed(),
        computed(" ab ".to_owned()).map(drop).boxed(),
        referred(name()).map(drop).boxed(),
        made("a", 'b').map(drop).boxed(),
    ] {
        NAMES.insert(name(), 1);
        NAMES.insert("other".to_owned(), 2);
        write.await;
        assert_eq!((NAMES.get("ab"), NAMES.get("other")), (None, Some(2)));
    }
    for write in [pair(7, "ab").map(drop).boxed(), whole((7, name())).map(drop).boxed()] {
        PAIRS.insert((7, name()), 1);
        PAIRS.insert((8, name()), 1);
        write.await;
        assert_eq!((PAIRS.get(&(7, "ab")), PAIRS.len()), (None, 1));
    }
}

#[tokio::test]
async fn a_borrowed_key_is_not_cloned() {
    static IDS: Cache<Id, u32> = Cache::new(10);
    #[invalidates(IDS, key = id)]
    async fn write(id: &Id) -> u32 {
        id.0
    }
    IDS.insert(Id(1), 1);
    let before = CLONES.get();
    write(&Id(1)).await;
    assert_eq!((CLONES.get(), IDS.get(&Id(1))), (before, None));
}

/// A cache in a field, and keys of all kinds of `self`.
#[tokio::test]
async fn methods() {
    struct Store {
        users: Cache<String, u32>,
        name: String,
    }
    impl Store {
        #[invalidates(self.users, key = self.name)]
        async fn write(&self) -> u32 {
            1
        }

        #[invalidates(&self.users, key = &self.name)]
        async fn write_mut(&mut self) -> usize {
            self.name.len()
        }

        #[invalidates(self.users, key = self.name.clone())]
        async fn write_shared(self: Arc<Self>) -> usize {
            yield_now().await;
            self.name.len()
        }
    }
    let mut store = Store { users: Cache::new(10), name: "ab".to_owned() };
    let fill = |store: &Store| store.users.insert("ab".to_owned(), 1);
    fill(&store);
    store.write().await;
    assert!(store.users.is_empty());
    let store = Arc::new({
        fill(&store);
        store.users.insert("cd".to_owned(), 1);
        store.write_mut().await;
        store
    });
    // Borrowed from `self`, which the body has mutably: the cache is evaluated before.
    assert_eq!(store.users.len(), 1);
    fill(&store);
    Arc::clone(&store).write_shared().await;
    assert_eq!(store.users.len(), 1);
}

/// What was written is known by the result only.
#[tokio::test]
async fn closures_over_the_value() {
    static USERS: Cache<u64, u64> = Cache::new(10);
    #[invalidates(USERS, key = |id| *id)]
    #[invalidates(USERS, tag = |id| format!("next to {id}"))]
    async fn create(id: Result<u64, String>) -> Result<u64, String> {
        id
    }
    #[invalidates(USERS, key = |id: &Option<u64>| id.unwrap_or(far))]
    async fn maybe(id: Option<u64>, far: u64) -> Result<Option<u64>, String> {
        Ok(id)
    }
    #[invalidates(USERS, key = |id| *id)]
    async fn plain(id: u64) -> u64 {
        id
    }
    let fill = || {
        for id in 0..4 {
            USERS.insert_tagged(id, id, [format!("next to {}", id + 1)]);
        }
    };
    let left = || (0..4).filter(|id| USERS.contains(id)).collect::<Vec<_>>();
    fill();
    assert!(create(Err("no".to_owned())).await.is_err());
    assert_eq!(left(), [0, 1, 2, 3]);
    create(Ok(2)).await.unwrap();
    assert_eq!(left(), [0, 3]);
    maybe(None, 3).await.unwrap();
    assert_eq!(left(), [0]);
    plain(0).await;
    assert_eq!(left(), [0; 0]);
}

#[tokio::test]
async fn several_caches_tags_and_all() {
    static FIRST: Cache<u32, u32> = Cache::new(10);
    static SECOND: Cache<u32, u32> = Cache::new(10);
    #[invalidates(FIRST, tag = format!("tenant:{tenant}"))]
    #[invalidates(SECOND, all)]
    #[invalidates(FIRST, key = 9)]
    async fn write(tenant: u32) -> Option<u32> {
        (tenant > 0).then_some(1)
    }
    for id in [1, 2, 9] {
        FIRST.insert_tagged(id, id, [format!("tenant:{id}")]);
        SECOND.insert(id, id);
    }
    write(0).await;
    assert_eq!((FIRST.len(), SECOND.len()), (3, 3));
    write(1).await;
    assert_eq!((FIRST.get(&2), FIRST.len(), SECOND.len()), (Some(2), 1, 0));
}

/// Generics, `impl Trait`, and functions that return a future.
#[tokio::test]
async fn shapes() {
    #[invalidates(cache, key = key, always)]
    async fn generic<K: std::hash::Hash + Eq + Clone + Send + Sync, T>(cache: &Cache<K, u32>, key: K, out: T) -> T {
        out
    }
    #[invalidates(cache, key = key)]
    fn returned(cache: &Cache<u32, u32>, key: u32) -> impl Future<Output = Written> + use<'_> {
        async move { if key > 0 { Ok(()) } else { failed() } }
    }
    #[invalidates(cache, key = key)]
    #[retry(attempts = 2, delay = 0s)]
    #[offload_blocking]
    fn blocking(key: u32, cache: &'static Cache<u32, u32>) -> Written {
        if key > 0 { Ok(()) } else { failed() }
    }
    static CACHE: Cache<u32, u32> = Cache::new(10);
    CACHE.insert(1, 1);
    generic(&CACHE, 1, "out").await;
    assert_eq!(CACHE.len(), 0);
    CACHE.insert(1, 1);
    CACHE.insert(0, 1);
    assert!(returned(&CACHE, 0).await.is_err() && CACHE.len() == 2);
    assert!(returned(&CACHE, 1).await.is_ok() && CACHE.len() == 1);
    assert!(blocking(0, &CACHE).await.is_err() && CACHE.len() == 1);
    CACHE.insert(1, 1);
    assert!(blocking(1, &CACHE).await.is_ok() && CACHE.len() == 1);
}

/// The cache and the key are evaluated once, in front of the body.
#[tokio::test]
async fn evaluated_in_turn() {
    static USERS: Cache<u32, u32> = Cache::new(10);
    thread_local!(static LOG: Cell<Vec<&'static str>> = const { Cell::new(Vec::new()) });
    fn note<T>(what: &'static str, value: T) -> T {
        let mut log = LOG.take();
        log.push(what);
        LOG.set(log);
        value
    }
    fn users(what: &'static str) -> &'static Cache<u32, u32> {
        note(what, &USERS)
    }
    #[invalidates(users("cache"), key = note("key", id))]
    #[invalidates(users("cache below"), tag = note("tag", "a tag"))]
    #[invalidates(USERS, key = |id| note("closure", *id))]
    async fn write(id: u32) -> u32 {
        note("body", id)
    }
    let call = write(1);
    assert!(LOG.take().is_empty());
    call.await;
    assert_eq!(LOG.take(), ["cache", "key", "cache below", "tag", "body", "closure"]);
}

/// How a write ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Ok,
    Err,
    Panic,
    Drop,
}

const ENDS: [End; 4] = [End::Ok, End::Err, End::Panic, End::Drop];

/// The source, with gates in which loads and writes wait for the next step.
#[derive(Default)]
struct Source {
    value: Cell<u32>,
    gate: Cell<Option<oneshot::Sender<End>>>,
}

impl Source {
    async fn step(&self) -> End {
        let (open, opened) = oneshot::channel();
        self.gate.set(Some(open));
        opened.await.expect("the history opens every gate")
    }

    async fn read(&self) -> u32 {
        self.step().await;
        let value = self.value.get();
        self.step().await;
        value
    }

    async fn write(&self) -> Written {
        self.step().await;
        self.value.set(1);
        match self.step().await {
            End::Ok => Ok(()),
            End::Err => failed(),
            End::Panic => resume_unwind(Box::new("the history says so")),
            End::Drop => pending().await,
        }
    }
}

#[async_cached(cache = cache, key = 1, tags = ["tag"])]
async fn load(cache: &Cache<u32, u32>, source: &Source) -> u32 {
    source.read().await
}

#[invalidates(cache, key = 1)]
async fn by_key(cache: &Cache<u32, u32>, source: &Source) -> Written {
    source.write().await
}

#[invalidates(cache, tag = "tag")]
async fn by_tag(cache: &Cache<u32, u32>, source: &Source) -> Written {
    source.write().await
}

#[invalidates(cache, all)]
async fn all(cache: &Cache<u32, u32>, source: &Source) -> Written {
    source.write().await
}

#[invalidates(cache, key = 1, always)]
async fn always(cache: &Cache<u32, u32>, source: &Source) -> Written {
    source.write().await
}

/// All orders in which the steps of three calls can follow each other, `counts` of each.
fn orders(counts: [usize; 3]) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    for call in 0..3 {
        let mut left = counts;
        if let Some(count) = left[call].checked_sub(1) {
            left[call] = count;
            all.extend(orders(left).into_iter().map(|rest| [vec![call], rest].concat()));
        }
    }
    if all.is_empty() { vec![Vec::new()] } else { all }
}

/// The naive model: one entry, and computations that have or have not been superseded.
#[derive(Default)]
struct Model {
    value: u32,
    stored: Option<u32>,
    flights: Vec<Flight>,
    /// The flight of each reader, or the value that it got at once.
    readers: [Option<Result<usize, u32>>; 2],
    superseded_by_write: bool,
}

#[derive(Default)]
struct Flight {
    read: Option<u32>,
    ended: bool,
    superseded: bool,
    leader: usize,
}

impl Model {
    fn read(&mut self, reader: usize) {
        match self.readers[reader] {
            None => {
                let joinable = self.flights.iter().position(|flight| !flight.ended && !flight.superseded);
                self.readers[reader] = Some(match (self.stored, joinable) {
                    (Some(value), _) => Err(value),
                    (None, Some(flight)) => Ok(flight),
                    (None, None) => {
                        self.flights.push(Flight { leader: reader, ..Flight::default() });
                        Ok(self.flights.len() - 1)
                    }
                });
            }
            Some(Ok(flight)) if self.flights[flight].leader == reader => {
                let flight = &mut self.flights[flight];
                if flight.read.is_none() {
                    flight.read = Some(self.value);
                } else {
                    flight.ended = true;
                    if !flight.superseded {
                        self.stored = flight.read;
                    }
                }
            }
            Some(_) => {}
        }
    }

    fn invalidate(&mut self) {
        self.stored = None;
        self.flights.iter_mut().filter(|flight| !flight.ended).for_each(|flight| flight.superseded = true);
        self.superseded_by_write = true;
    }

    /// What the reader has got.
    fn got(&self, reader: usize) -> Option<u32> {
        match self.readers[reader]? {
            Err(value) => Some(value),
            Ok(flight) => self.flights[flight].read.filter(|_| self.flights[flight].ended),
        }
    }
}

type Call<'a, T> = Option<Pin<Box<dyn Future<Output = T> + 'a>>>;

/// Two readers and a write, step by step in each order, against the model.
fn history<'a, W: Future<Output = Written> + 'a>(
    cache: &'a Cache<u32, u32>,
    source: &'a Source,
    order: &[usize],
    end: End,
    always: bool,
    write: impl Fn(&'a Cache<u32, u32>, &'a Source) -> W,
) {
    let mut model = Model::default();
    let (mut reads, mut got): ([Call<'a, u32>; 2], _) = ([None, None], [None, None]);
    let mut writes: Call<'a, Written> = None;
    let mut gates: [Option<oneshot::Sender<End>>; 3] = [None, None, None];
    let mut steps = [0; 3];
    for (at, &call) in order.iter().enumerate() {
        let context = || format!("{order:?} to {at}, {end:?}, always: {always}");
        steps[call] += 1;
        let (first, last) = (steps[call] == 1, steps[call] == 3);
        if let Some(gate) = gates[call].take() {
            gate.send(end).unwrap();
        }
        if call == 2 {
            if first {
                writes = Some(Box::pin(write(cache, source)));
            }
            let written = catch_unwind(AssertUnwindSafe(|| poll_immediate(writes.as_mut().unwrap()).now_or_never().flatten()));
            if !first && !last {
                model.value = 1;
            }
            if last {
                match end {
                    End::Ok => assert_eq!(written.unwrap(), Some(Ok(()))),
                    End::Err => assert_eq!(written.unwrap(), Some(failed())),
                    End::Panic => assert!(written.is_err()),
                    End::Drop => assert_eq!(written.unwrap(), None),
                }
                writes = None;
                if always || end == End::Ok {
                    model.invalidate();
                }
            }
        } else {
            model.read(call);
            if first {
                reads[call] = Some(Box::pin(load(cache, source)));
            }
        }
        // Those that wait for another reader are polled too, behind it.
        for reader in [0, 1, 0] {
            if let Some(value) = reads[reader].as_mut().and_then(|read| poll_immediate(read).now_or_never().flatten()) {
                (reads[reader], got[reader]) = (None, Some(value));
            }
        }
        if let Some(gate) = source.gate.take() {
            gates[call] = Some(gate);
        }
        assert_eq!(cache.get(&1), model.stored, "stored: {}", context());
        assert_eq!(got, [model.got(0), model.got(1)], "returned: {}", context());
    }
    let stale = model.superseded_by_write && cache.get(&1) == Some(0);
    assert!(!stale, "what was there before the write is stored: {order:?}, {end:?}");
    assert_eq!(cache.in_flight(), 0);
}

#[test]
fn a_write_wins_over_running_loads_in_all_interleavings() {
    let orders = orders([3, 3, 3]);
    assert_eq!(orders.len(), 1_680);
    for order in &orders {
        for end in ENDS {
            let source = Source::default;
            history(&Cache::new(10), &source(), order, end, false, by_key);
            history(&Cache::new(10), &source(), order, end, false, by_tag);
            history(&Cache::new(10), &source(), order, end, false, all);
            history(&Cache::new(10), &source(), order, end, true, always);
        }
    }
}

/// A load on a task of its own, by a call or behind a stale hit.
#[tokio::test(start_paused = true)]
async fn loads_in_the_background_are_superseded() {
    #[async_cached(ttl = 10s, stale_while_revalidate = 1h, detached, handle = users)]
    async fn user(id: u32, value: u32) -> u32 {
        tokio::time::sleep(Duration::from_secs(2)).await;
        value + id
    }
    #[invalidates(users(), all)]
    async fn write_all() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // Spawned by a call that has gone.
    assert!(poll_immediate(user(1, 1)).await.is_none());
    write_all().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(users().get(&(1, 1)), None);
    // Spawned by a hit.
    assert_eq!(user(1, 1).await, 2);
    tokio::time::advance(Duration::from_secs(20)).await;
    assert_eq!(poll_immediate(user(1, 1)).await, Some(2));
    write_all().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((users().get(&(1, 1)), users().len()), (None, 0));
}

/// Dropped at each await: nothing is invalidated, but with `always`, and then after the body.
#[test]
fn dropped_at_each_await() {
    struct Noted<'a>(&'a Cache<u32, u32>);
    impl Drop for Noted<'_> {
        fn drop(&mut self) {
            assert_eq!(self.0.get(&1), Some(1), "the body is dropped first");
        }
    }
    #[invalidates(cache, key = 1)]
    async fn write(cache: &Cache<u32, u32>) {
        yield_now().await;
        yield_now().await;
        cache.insert(2, 2);
    }
    #[invalidates(cache, key = 1, always)]
    async fn always(cache: &Cache<u32, u32>) {
        let _noted = Noted(cache);
        yield_now().await;
        yield_now().await;
    }
    for polls in 0..4 {
        let ends = |call: &mut dyn FnMut() -> bool| (0..polls).any(|_| call());
        let cache = Cache::new(10);
        cache.insert(1, 1);
        let mut call = Box::pin(write(&cache));
        let ended = ends(&mut || poll_immediate(&mut call).now_or_never().flatten().is_some());
        drop(call);
        assert_eq!((cache.contains(&1), cache.contains(&2)), (!ended, ended), "{polls}");
        let cache = Cache::new(10);
        cache.insert(1, 1);
        let mut call = Box::pin(always(&cache));
        ends(&mut || poll_immediate(&mut call).now_or_never().flatten().is_some());
        drop(call);
        assert_eq!(cache.contains(&1), polls == 0, "{polls}: a call that was never polled has written nothing");
    }
}

/// A listener that panics while the call is dropped, or unwinds.
#[tokio::test]
async fn a_listener_that_panics() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&reports);
    on_report(move |report| hook.lock().unwrap().push((report.name(), report.kind())));
    let cache: Cache<u32, u32> = Cache::builder().on_evict(|_, _, _| resume_unwind(Box::new("the listener"))).build();
    #[invalidates(cache, key = 1, always)]
    async fn write(cache: &Cache<u32, u32>, panics: bool, waits: bool) {
        if panics {
            resume_unwind(Box::new("the body"));
        }
        if waits {
            pending::<()>().await;
        }
    }
    let text = |payload: Box<dyn std::any::Any + Send>| *payload.downcast::<&str>().unwrap();
    cache.insert(1, 1);
    let returned = AssertUnwindSafe(write(&cache, false, false)).catch_unwind().await;
    assert_eq!((text(returned.unwrap_err()), cache.len()), ("the listener", 0));
    assert!(reports.lock().unwrap().is_empty(), "the caller received it");
    cache.insert(1, 1);
    let panicked = AssertUnwindSafe(write(&cache, true, false)).catch_unwind().await;
    assert_eq!((text(panicked.unwrap_err()), cache.len()), ("the body", 0));
    cache.insert(1, 1);
    assert!(poll_immediate(write(&cache, false, true)).await.is_none());
    assert_eq!((reports.lock().unwrap().as_slice(), cache.len()), (&[("write", ReportKind::Panic); 2][..], 0));
}

/// A call that is kept and not polled has not ended.
#[tokio::test]
async fn kept_and_not_polled() {
    let cache: Cache<u32, u32> = Cache::new(10);
    #[invalidates(cache, key = 1)]
    async fn write(cache: &Cache<u32, u32>) {
        yield_now().await;
    }
    cache.insert(1, 1);
    let mut call = pin!(write(&cache));
    poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await;
    assert_eq!(cache.get(&1), Some(1));
    call.await;
    assert_eq!(cache.get(&1), None);
}
