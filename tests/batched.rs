//! `#[batched]`: which callers share a batch, when it starts, and how dropped callers and failures are handled.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{join, join_all, join3, poll_immediate};
use steadfast::testing::cancel_at_every_await;
use steadfast::{
    Error, ErrorKind, ReportKind, async_cached, batched, concurrency_limit, offload_blocking, on_report, retry, timeout,
};
use tokio::time::{Instant, sleep};

/// The batches that ran, by the name that a test gives. Each test has functions, and so statics, of its own.
static RUNS: Mutex<Vec<(&'static str, Vec<u32>)>> = Mutex::new(Vec::new());

fn ran(test: &'static str, ids: &[u32]) {
    RUNS.lock().unwrap().push((test, ids.to_vec()));
}

fn runs(test: &str) -> Vec<Vec<u32>> {
    RUNS.lock().unwrap().iter().filter(|(of, _)| *of == test).map(|(_, ids)| ids.clone()).collect()
}

fn reports(function: &str) -> Vec<(ReportKind, String)> {
    static REPORTS: Mutex<Vec<(&'static str, ReportKind, String)>> = Mutex::new(Vec::new());
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        on_report(|report| REPORTS.lock().unwrap().push((report.name(), report.kind(), report.message().to_owned())));
    });
    let reports = REPORTS.lock().unwrap();
    reports.iter().filter(|(of, ..)| *of == function).map(|(_, kind, text)| (*kind, text.clone())).collect()
}

const MS: Duration = Duration::from_millis(1);

/// Lets the batches of this test end: `drain` would wait for those of the others too, whose clocks are their own.
async fn everything_has_run() {
    sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn callers_share_a_call() {
    #[batched]
    async fn double(ids: Vec<u32>) -> Vec<u64> {
        ran("share", &ids);
        sleep(MS).await;
        ids.iter().map(|&id| u64::from(id) * 2).collect()
    }
    let started = Instant::now();
    assert_eq!(join3(double(1), double(2), double(1)).await, (2, 4, 2));
    assert_eq!(started.elapsed(), 6 * MS);
    assert_eq!(runs("share"), [[1, 2, 1]]);
    assert_eq!(double(3).await, 6);
    assert_eq!(runs("share").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_does_not_wait() {
    #[batched(max_batch_size = 2, delay = 1h)]
    async fn echo(mut ids: Vec<u32>) -> Vec<u32> {
        ran("full", &ids);
        for id in &mut ids {
            *id += 1;
        }
        ids
    }
    let started = Instant::now();
    assert_eq!(join_all((0..4).map(echo)).await, [1, 2, 3, 4]);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(echo(7).await, 8);
    assert_eq!(started.elapsed(), Duration::from_secs(3_600));
    assert_eq!(runs("full"), [vec![0, 1], vec![2, 3], vec![7]]);
}

#[tokio::test(start_paused = true)]
async fn the_delay_counts_from_the_first() {
    #[batched(delay = Duration::from_millis(10))]
    async fn echo(ids: Vec<u32>) -> Vec<u32> {
        ran("delay", &ids);
        ids
    }
    let late = async |id, after| {
        sleep(after).await;
        echo(id).await
    };
    assert_eq!(join3(echo(1), late(2, 9 * MS), late(3, 11 * MS)).await, (1, 2, 3));
    assert_eq!(runs("delay"), [vec![1, 2], vec![3]]);
}

#[tokio::test(start_paused = true)]
async fn without_a_delay_it_takes_who_is_ready() {
    #[batched(delay = 0s)]
    async fn echo(ids: Vec<u32>) -> Vec<u32> {
        ran("ready", &ids);
        ids
    }
    let started = Instant::now();
    join_all((0..3).map(echo)).await;
    assert_eq!((started.elapsed(), runs("ready")), (Duration::ZERO, vec![vec![0, 1, 2]]));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_caller_is_taken_out() {
    #[batched(max_batch_size = 2)]
    async fn echo(ids: Vec<u32>) -> Vec<u32> {
        ran("cancelled", &ids);
        ids
    }
    let mut gone = Box::pin(echo(1));
    assert!(poll_immediate(&mut gone).await.is_none());
    drop(gone);
    // It takes no place either.
    assert_eq!(join(echo(2), echo(3)).await, (2, 3));
    assert_eq!(runs("cancelled"), [[2, 3]]);

    // A batch that nobody waits for does not run.
    let mut gone = Box::pin(echo(4));
    assert!(poll_immediate(&mut gone).await.is_none());
    drop(gone);
    everything_has_run().await;
    assert_eq!(runs("cancelled").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_sent_off_runs_to_its_end() {
    static ENDED: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    #[batched(delay = 0s)]
    async fn slow(ids: Vec<u32>) -> Vec<u32> {
        sleep(10 * MS).await;
        ENDED.lock().unwrap().extend(&ids);
        ids
    }
    let mut gone = Box::pin(slow(1));
    assert!(tokio::time::timeout(5 * MS, &mut gone).await.is_err());
    drop(gone);
    everything_has_run().await;
    assert_eq!(*ENDED.lock().unwrap(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_error_for_each_caller() {
    #[batched]
    async fn panicking(ids: Vec<u32>) -> Result<Vec<u32>, Error> {
        sleep(MS).await;
        panic!("no table for {} keys", ids.len())
    }
    reports("panicking");
    let (first, second) = join(panicking(1), panicking(2)).await;
    let error = first.unwrap_err();
    assert!(error.is_batch() && second.unwrap_err().is_batch());
    assert_eq!((error.kind(), error.function()), (ErrorKind::Batch, "panicking"));
    assert_eq!(error.to_string(), "`panicking` returned no result: its batch panicked");
    everything_has_run().await;
    assert_eq!(reports("panicking"), [(ReportKind::Panic, "no table for 2 keys".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn so_are_answers_of_another_number() {
    #[batched(or_else = |error| error.to_string())]
    async fn short(ids: Vec<u32>) -> Vec<String> {
        ids.iter().skip(1).map(ToString::to_string).collect()
    }
    #[batched]
    async fn long(ids: Vec<u32>) -> Result<Vec<u32>, Error> {
        Ok([ids, vec![1]].concat())
    }
    let text = "`short` returned no result: its batch returned 1 result instead of one per key";
    assert_eq!(join(short(1), short(2)).await, (text.to_owned(), text.to_owned()));
    assert!(long(1).await.unwrap_err().is_batch());
    // The next batch is another one.
    assert_eq!(reports("short"), []);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "`plain` returned no result: its batch panicked")]
async fn a_value_that_carries_no_error_panics() {
    #[batched]
    async fn plain(ids: Vec<u32>) -> Vec<u32> {
        assert!(ids.is_empty(), "of its own");
        ids
    }
    plain(1).await;
}

#[tokio::test(start_paused = true)]
async fn an_error_goes_to_every_caller() {
    #[derive(Debug, Clone, PartialEq)]
    enum Failure {
        Down,
        Policy(Error),
    }
    impl From<Error> for Failure {
        fn from(error: Error) -> Self {
            Self::Policy(error)
        }
    }
    type Reply<T> = Result<T, Failure>;
    #[batched]
    async fn find(ids: Vec<u32>) -> Reply<Vec<Option<u32>>> {
        if ids.contains(&0) { Err(Failure::Down) } else { Ok(ids.into_iter().map(|id| (id < 9).then_some(id)).collect()) }
    }
    assert_eq!(join(find(1), find(9)).await, (Ok(Some(1)), Ok(None)));
    assert_eq!(join(find(1), find(0)).await, (Err(Failure::Down), Err(Failure::Down)));
}

#[tokio::test(start_paused = true)]
async fn a_cache_above_asks_only_for_what_it_lacks() {
    #[async_cached]
    #[timeout(20ms)]
    #[batched]
    async fn cached(ids: Vec<u32>) -> Result<Vec<u32>, Error> {
        ran("cached", &ids);
        if ids.contains(&99) {
            sleep(30 * MS).await;
        }
        Ok(ids)
    }
    assert_eq!(join3(cached(1), cached(2), cached(1)).await, (Ok(1), Ok(2), Ok(1)));
    assert_eq!(join(cached(1), cached(3)).await, (Ok(1), Ok(3)));
    assert_eq!(runs("cached"), [vec![1, 2], vec![3]]);
    assert!(cached(99).await.unwrap_err().is_timeout());
}

#[tokio::test(start_paused = true)]
async fn a_retry_below_repeats_the_batch_and_one_above_the_call() {
    #[derive(Debug, Clone, PartialEq)]
    struct Busy;
    impl From<Error> for Busy {
        fn from(_: Error) -> Self {
            Self
        }
    }
    #[batched]
    #[retry(attempts = 3, delay = 0s)]
    #[concurrency_limit(1)]
    #[timeout(1s)]
    async fn below(ids: Vec<u32>) -> Result<Vec<u32>, Busy> {
        ran("below", &ids);
        if runs("below").len() < 3 { Err(Busy) } else { Ok(ids.clone()) }
    }
    #[retry(attempts = 3, delay = 0s)]
    #[concurrency_limit(8)]
    #[batched]
    async fn above(mut ids: Vec<u32>) -> Result<Vec<u32>, Busy> {
        ran("above", &ids);
        ids.retain(|id| *id != 0);
        if ids.len() == 1 { Ok(ids) } else { Err(Busy) }
    }
    assert_eq!(join(below(1), below(2)).await, (Ok(1), Ok(2)));
    assert_eq!(runs("below"), [[1, 2], [1, 2], [1, 2]]);
    assert_eq!(above(1).await, Ok(1));
    assert_eq!(above(0).await, Err(Busy));
    assert_eq!(runs("above"), [[1], [0], [0], [0]]);
}

#[tokio::test(start_paused = true)]
async fn a_blocking_batch_and_a_generic_one() {
    #[batched]
    #[offload_blocking]
    fn blocking(ids: Vec<u32>) -> Vec<u32> {
        ids
    }
    #[batched]
    async fn generic<T: Clone + Send + 'static>(ids: Vec<T>) -> Vec<(T, usize)> {
        ids.iter().map(|id| (id.clone(), ids.len())).collect()
    }
    struct Repository<T>(T);
    impl<T: Default + Send + 'static> Repository<T> {
        #[batched(max_batch_size = Self::most())]
        async fn load(ids: Vec<u32>) -> Vec<(u32, Self)> {
            ids.into_iter().map(|id| (id, Self(T::default()))).collect()
        }
        fn most() -> u8 {
            2
        }
    }
    assert_eq!(join(blocking(1), blocking(2)).await, (1, 2));
    assert_eq!(join3(generic(1), generic("a"), generic(2)).await, ((1, 2), ("a", 1), (2, 2)));
    let (numbers, texts) = join(Repository::<u8>::load(1), Repository::<String>::load(2)).await;
    assert_eq!((numbers.0, numbers.1.0, texts.0, texts.1.0), (1, 0, 2, String::new()));
}

/// A batch belongs to the runtime of its callers.
#[test]
fn each_runtime_has_its_own() {
    #[batched]
    async fn echo(ids: Vec<u32>) -> Result<Vec<u32>, Error> {
        Ok(ids)
    }
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (gone, other) = (runtime(), runtime());
    let mut lost = Box::pin(echo(1));
    gone.block_on(async { assert!(poll_immediate(&mut lost).await.is_none()) });
    assert_eq!(other.block_on(echo(2)), Ok(2));
    reports("echo");
    drop(gone);
    assert!(other.block_on(lost).unwrap_err().is_shutdown());
}

/// The number 13 panics when it is dropped.
#[derive(Debug, PartialEq)]
struct Fragile(u32);

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(self.0 != 13 || std::thread::panicking(), "dropped");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_left_behind_that_panics_in_drop_is_nobodys() {
    #[batched]
    async fn answer(ids: Vec<u32>) -> Result<Vec<Fragile>, Error> {
        sleep(MS).await;
        Ok(ids.into_iter().map(Fragile).collect())
    }
    let (mut first, mut gone, mut last) = (Box::pin(answer(1)), Box::pin(answer(13)), Box::pin(answer(2)));
    assert!(poll_immediate(&mut first).await.is_none());
    assert!(poll_immediate(&mut gone).await.is_none());
    assert!(poll_immediate(&mut last).await.is_none());
    // The batch has been sent off.
    sleep(5 * MS + MS / 2).await;
    drop(gone);
    assert_eq!(join(first, last).await, (Ok(Fragile(1)), Ok(Fragile(2))));
}

#[tokio::test(start_paused = true)]
async fn so_is_a_key_left_behind() {
    #[batched(max_batch_size = 3)]
    async fn value(mut keys: Vec<Fragile>) -> Result<Vec<u32>, Error> {
        Ok(keys.drain(..).map(|key| key.0).collect())
    }
    // Noticed by the batch, whose time is up ..
    let (mut first, mut gone) = (Box::pin(value(Fragile(1))), Box::pin(value(Fragile(13))));
    assert!(poll_immediate(&mut first).await.is_none());
    assert!(poll_immediate(&mut gone).await.is_none());
    drop(gone);
    assert_eq!(first.await, Ok(1));
    // .. and by the caller that would fill it.
    let (mut first, mut gone) = (Box::pin(value(Fragile(1))), Box::pin(value(Fragile(13))));
    assert!(poll_immediate(&mut first).await.is_none());
    assert!(poll_immediate(&mut gone).await.is_none());
    drop(gone);
    assert_eq!(join3(value(Fragile(2)), first, value(Fragile(3))).await, (Ok(2), Ok(1), Ok(3)));
}

/// Two keys that panic in a runtime that is dropped with them would abort the process.
#[test]
fn keys_that_panic_in_drop_go_with_their_runtime() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    #[batched(delay = 1h)]
    async fn value(keys: Vec<Bomb>) -> Result<Vec<u32>, Error> {
        Ok(vec![0; keys.len()])
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut calls: Vec<_> = (0..3).map(|_| Box::pin(value(Bomb))).collect();
    runtime.block_on(async {
        for call in &mut calls {
            assert!(poll_immediate(call).await.is_none());
        }
    });
    drop(runtime);
    for call in calls {
        assert!(futures::executor::block_on(call).unwrap_err().is_shutdown());
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_panics_when_it_is_cloned_is_a_panic_of_the_batch() {
    #[derive(Debug)]
    enum Failure {
        Fragile,
        Batch(Error),
    }
    impl Clone for Failure {
        fn clone(&self) -> Self {
            panic!("cloned")
        }
    }
    impl From<Error> for Failure {
        fn from(error: Error) -> Self {
            Self::Batch(error)
        }
    }
    #[batched]
    async fn fragile(ids: Vec<u32>) -> Result<Vec<u32>, Failure> {
        if ids.is_empty() { Ok(ids) } else { Err(Failure::Fragile) }
    }
    reports("fragile");
    let outcomes = join3(fragile(1), fragile(2), fragile(3)).await;
    let is_batch = |outcome: Result<u32, Failure>| matches!(outcome, Err(Failure::Batch(error)) if error.is_batch());
    assert!(is_batch(outcomes.0) && is_batch(outcomes.1) && is_batch(outcomes.2));
    everything_has_run().await;
    assert_eq!(reports("fragile"), [(ReportKind::Panic, "cloned".to_owned())]);
}

#[test]
fn a_runtime_without_timers_panics_and_says_so() {
    #[batched(delay = 1ms)]
    async fn echo(ids: Vec<u32>) -> Result<Vec<u32>, Error> {
        Ok(ids)
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for _ in 0..2 {
        let payload = runtime.block_on(AssertUnwindSafe(echo(1)).catch_unwind()).unwrap_err();
        let text = payload.downcast_ref::<String>().cloned().or(payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap();
        assert!(text.contains("timers are disabled"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_callers_size_holds() {
    static SIZE: AtomicUsize = AtomicUsize::new(100);
    #[batched(max_batch_size = SIZE.load(SeqCst))]
    async fn echo(ids: Vec<u32>) -> Vec<u32> {
        ran("size", &ids);
        ids
    }
    let mut first = Box::pin(echo(1));
    assert!(poll_immediate(&mut first).await.is_none());
    SIZE.store(2, SeqCst);
    assert_eq!(join3(first, echo(2), echo(3)).await, (1, 2, 3));
    assert_eq!(runs("size"), [[1, 2, 3]]);
    assert_eq!(join3(echo(4), echo(5), echo(6)).await, (4, 5, 6));
    assert_eq!(runs("size")[1..], [vec![4, 5], vec![6]]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_may_go_at_every_await() {
    #[batched]
    async fn echo(ids: Vec<u32>) -> Vec<u32> {
        sleep(MS).await;
        ids
    }
    let awaits = cancel_at_every_await(
        async || Arc::new(()),
        async |_| {
            let both = join(echo(1), echo(2)).await;
            assert_eq!(both, (1, 2));
        },
        async |_: &Arc<()>| assert_eq!(echo(3).await, 3),
    )
    .await;
    assert!(awaits >= 1);
}

/// What `share` and maps are for.
mod shared {
    use std::collections::hash_map::RandomState;
    use std::collections::{BTreeSet, HashMap};

    use super::*;

    /// A database that knows some users, and whoever asked it.
    #[derive(Default)]
    struct Db {
        users: Vec<u32>,
        asked: Mutex<Vec<Vec<u32>>>,
    }

    impl Db {
        fn new(users: impl IntoIterator<Item = u32>) -> Arc<Self> {
            Arc::new(Self { users: users.into_iter().collect(), asked: Mutex::default() })
        }

        fn find(&self, ids: &[u32]) -> HashMap<u32, String> {
            self.asked.lock().unwrap().push(ids.to_vec());
            ids.iter().filter(|id| self.users.contains(id)).map(|id| (*id, format!("user {id}"))).collect()
        }

        fn asked(&self) -> Vec<Vec<u32>> {
            self.asked.lock().unwrap().clone()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_batch_for_each_of_them() {
        #[batched(share(db))]
        async fn load(db: Arc<Db>, ids: Vec<u32>) -> HashMap<u32, String> {
            db.find(&ids)
        }
        let (one, other) = (Db::new(0..10), Db::new(5..20));
        let calls = (0..4).map(|n| load(Arc::clone(if n % 2 == 0 { &one } else { &other }), n + 3));
        let answers = join_all(calls).await;
        assert_eq!(answers, [Some("user 3".to_owned()), None, Some("user 5".to_owned()), Some("user 6".to_owned())]);
        assert_eq!((one.asked(), other.asked()), (vec![vec![3, 5]], vec![vec![4, 6]]));
        everything_has_run().await;
        assert_eq!((Arc::strong_count(&one), Arc::strong_count(&other)), (1, 1), "nothing is kept of them");
    }

    #[tokio::test(start_paused = true)]
    async fn of_every_return_type() {
        #[derive(Debug, Clone, PartialEq)]
        struct Down;
        impl From<Error> for Down {
            fn from(_: Error) -> Self {
                Self
            }
        }
        type Users = HashMap<u32, String>;
        type Found<T> = HashMap<u32, T, RandomState>;
        type Reply<T> = Result<T, Down>;
        type Names = Vec<String>;

        #[batched(share(db))]
        async fn in_result(db: Arc<Db>, ids: Vec<u32>) -> Result<HashMap<u32, String>, Down> {
            if ids.contains(&99) { Err(Down) } else { Ok(db.find(&ids)) }
        }
        #[batched(share(db))]
        async fn in_alias(db: Arc<Db>, ids: Vec<u32>) -> Reply<HashMap<u32, String>> {
            Ok(db.find(&ids))
        }
        #[batched(share(db))]
        async fn is_alias(ids: Vec<u32>, db: Arc<Db>) -> Users {
            db.find(&ids)
        }
        #[retry(attempts = 2, delay = 0s)]
        #[timeout(1s)]
        #[batched(share(db))]
        async fn alias_in_alias(ids: Vec<u32>, db: Arc<Db>) -> Reply<Users> {
            if db.asked().len() < 3 {
                db.find(&ids);
                return Err(Down);
            }
            Ok(db.find(&ids))
        }
        #[batched(share(db))]
        async fn generic_alias(db: Arc<Db>, ids: Vec<u32>) -> Found<String> {
            db.find(&ids)
        }
        #[batched(share(db))]
        async fn in_order(db: Arc<Db>, ids: Vec<u32>) -> Vec<Option<String>> {
            let found = db.find(&ids);
            ids.iter().map(|id| found.get(id).cloned()).collect()
        }
        #[batched]
        async fn alias_of_vec(ids: Vec<u32>) -> Reply<Names> {
            Ok(ids.iter().map(ToString::to_string).collect())
        }
        #[batched]
        async fn without_share(ids: Vec<(u32, u32)>) -> HashMap<(u32, u32), u32> {
            ids.into_iter().map(|(a, b)| ((a, b), a + b)).collect()
        }
        let db = Db::new([1, 2]);
        let user = |n: u32| Some(format!("user {n}"));
        let of = || Arc::clone(&db);
        assert_eq!(join(in_result(of(), 1), in_result(of(), 7)).await, (Ok(user(1)), Ok(None)));
        assert_eq!(join(in_result(of(), 1), in_result(of(), 99)).await, (Err(Down), Err(Down)));
        assert_eq!(in_alias(of(), 2).await, Ok(user(2)));
        assert_eq!(join(is_alias(1, of()), is_alias(3, of())).await, (user(1), None));
        let db = Db::new([1, 2]);
        let of = || Arc::clone(&db);
        assert_eq!(alias_in_alias(1, of()).await, Err(Down));
        assert_eq!(alias_in_alias(1, of()).await, Ok(user(1)));
        assert_eq!(generic_alias(of(), 1).await, user(1));
        assert_eq!(join(in_order(of(), 3), in_order(of(), 2)).await, (None, user(2)));
        assert_eq!(alias_of_vec(1).await, Ok("1".to_owned()));
        assert_eq!(without_share((1, 2)).await, Some(3));
    }

    /// Equal keys are asked for as often as there are callers, and each gets the answer. Only where there are several it is cloned.
    #[tokio::test(start_paused = true)]
    async fn equal_keys_get_the_same_answer() {
        static CLONES: AtomicUsize = AtomicUsize::new(0);
        #[derive(Debug, PartialEq)]
        struct Answer(u32);
        impl Clone for Answer {
            fn clone(&self) -> Self {
                CLONES.fetch_add(1, SeqCst);
                Self(self.0)
            }
        }
        #[batched]
        async fn load(ids: Vec<u32>) -> HashMap<u32, Answer> {
            ran("equal", &ids);
            ids.into_iter().filter(|id| *id != 0).map(|id| (id, Answer(id))).collect()
        }
        let answers = join_all([1, 2, 1, 0, 1].map(load)).await;
        assert_eq!(answers, [Some(Answer(1)), Some(Answer(2)), Some(Answer(1)), None, Some(Answer(1))]);
        assert_eq!((runs("equal"), CLONES.load(SeqCst)), (vec![vec![1, 2, 1, 0, 1]], 2));
    }

    #[tokio::test(start_paused = true)]
    async fn several_and_self() {
        trait Source: Send + Sync {
            fn add(&self, id: u32) -> u32;
        }
        impl Source for u32 {
            fn add(&self, id: u32) -> u32 {
                *self + id
            }
        }
        struct Repository {
            seen: Mutex<Vec<Vec<u32>>>,
            plus: u32,
        }
        impl Repository {
            #[batched(share(self, source), max_batch_size = 3)]
            async fn load(self: Arc<Self>, source: Arc<dyn Source>, ids: Vec<u32>) -> Vec<u32> {
                self.seen.lock().unwrap().push(ids.clone());
                ids.into_iter().map(|id| source.add(id) + self.plus).collect()
            }
            #[retry(attempts = 2, delay = 0s, failure = |answer| *answer == 0)]
            #[batched(share(self), delay = 0s)]
            async fn above(self: Arc<Self>, ids: Vec<u32>) -> Vec<u32> {
                self.seen.lock().unwrap().push(ids.clone());
                ids
            }
            #[batched(share(self), delay = 0s)]
            #[retry(attempts = 2, delay = 0s, failure = Vec::is_empty, clone(self, ids))]
            #[timeout(1s, or_else = |_| Vec::new())]
            async fn layered(mut self: Arc<Self>, mut ids: Vec<u32>) -> Vec<u32> {
                if ids[0] == 0 {
                    ids.clear();
                    self = Arc::new(Self { seen: Mutex::default(), plus: self.plus });
                }
                self.seen.lock().unwrap().push(ids.clone());
                ids
            }
        }
        let make = |plus| Arc::new(Repository { seen: Mutex::default(), plus });
        let (one, other) = (make(0), make(100));
        let sources: [Arc<dyn Source>; 2] = [Arc::new(10_u32), Arc::new(20_u32)];
        let calls = [(&one, 0, 1), (&one, 1, 1), (&one, 0, 2), (&other, 0, 3), (&one, 0, 3), (&one, 0, 4)];
        let calls = calls.map(|(repository, source, id)| Arc::clone(repository).load(Arc::clone(&sources[source]), id));
        assert_eq!(join_all(calls).await, [11, 21, 12, 113, 13, 14]);
        let mut seen = one.seen.lock().unwrap().clone();
        seen.sort();
        assert_eq!(seen, [vec![1], vec![1, 2, 3], vec![4]], "each pair has a batch and a size of its own");
        assert_eq!(Arc::clone(&one).layered(5).await, 5);
        assert_eq!(Arc::clone(&other).above(0).await, 0);
        assert_eq!(*other.seen.lock().unwrap(), [[3], [0], [0]]);
        everything_has_run().await;
        assert_eq!(sources.iter().map(Arc::strong_count).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(Arc::strong_count(&one), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn generic_and_stacked() {
        trait Table: Send + Sync + 'static {
            type Row: Clone + Send + 'static;
            fn row(&self, id: u32) -> Self::Row;
        }
        impl Table for &'static str {
            type Row = String;
            fn row(&self, id: u32) -> String {
                format!("{self} {id}")
            }
        }
        impl Table for u64 {
            type Row = u64;
            fn row(&self, id: u32) -> u64 {
                self + u64::from(id)
            }
        }
        #[batched(share(table))]
        async fn rows<T: Table>(table: Arc<T>, ids: Vec<u32>) -> HashMap<u32, T::Row> {
            ids.iter().map(|id| (*id, table.row(*id))).collect()
        }
        #[async_cached(skip(table))]
        #[timeout(1s, or_else = |_| None)]
        #[batched(share(table))]
        #[offload_blocking]
        fn blocking(table: Arc<impl Table<Row = u64>>, ids: Vec<u32>) -> HashMap<u32, u64> {
            ran("stacked", &ids);
            ids.into_iter().map(|id| (id, table.row(id))).collect()
        }
        let (names, numbers) = (Arc::new("row"), Arc::new(40_u64));
        assert_eq!(join(rows(names, 1), rows(Arc::clone(&numbers), 2)).await, (Some("row 1".to_owned()), Some(42)));
        let calls = [1, 2, 1].map(|id| blocking(Arc::clone(&numbers), id));
        assert_eq!(join_all(calls).await, [Some(41), Some(42), Some(41)]);
        assert_eq!(blocking(numbers, 1).await, Some(41));
        assert_eq!(runs("stacked"), [[1, 2]]);
    }

    #[tokio::test(start_paused = true)]
    async fn conditional_raw_and_unused() {
        #[batched(share(r#type, absent, unused))]
        async fn load(
            r#type: Arc<u32>,
            #[cfg(any())] absent: Arc<Missing>,
            #[cfg(test)] unused: Arc<u32>,
            r#in: Vec<u32>,
        ) -> Vec<u32> {
            ran("raw", &r#in);
            r#in.into_iter().map(|id| id + *r#type).collect()
        }
        macro_rules! loader {
            ($name:ident, $db:ident: $ty:ty, $keys:ident) => {
                #[batched(share($db))]
                async fn $name($db: $ty, $keys: Vec<u32>) -> Vec<u32> {
                    $keys.iter().map(|key| key + *$db).collect()
                }
            };
        }
        loader!(made, db: Arc<u32>, keys);
        let (one, two) = (Arc::new(1), Arc::new(2));
        let load_with = |unused: &Arc<u32>, id| load(Arc::clone(&one), Arc::clone(unused), id);
        assert_eq!(join3(load_with(&one, 10), load_with(&two, 20), load_with(&one, 30)).await, (11, 21, 31));
        let mut runs = runs("raw");
        runs.sort();
        assert_eq!(runs, [vec![10, 30], vec![20]]);
        assert_eq!(made(Arc::clone(&two), 40).await, 42);
    }

    /// The allocator gives the place of one that is gone to the next.
    #[tokio::test(start_paused = true)]
    async fn another_at_the_same_place_is_another() {
        #[batched(share(db), delay = 10ms)]
        async fn load(db: Arc<(u32, Mutex<()>)>, ids: Vec<u32>) -> Vec<(u32, u32)> {
            ids.into_iter().map(|id| (db.0, id)).collect()
        }
        // The body does not take it along: only the batch can keep it.
        #[batched(share(db), delay = 10ms)]
        async fn blind(db: Arc<(u32, Mutex<()>)>, ids: Vec<u32>) -> Vec<u32> {
            ran("blind", &ids);
            ids
        }
        let mut blind_calls = Vec::new();
        for n in 0..100 {
            let mut call = Box::pin(blind(Arc::new((n, Mutex::new(()))), n));
            assert!(poll_immediate(&mut call).await.is_none());
            blind_calls.push(call);
        }
        assert_eq!(join_all(blind_calls).await, (0..100).collect::<Vec<_>>());
        assert_eq!(runs("blind").len(), 100);

        let mut places = BTreeSet::new();
        let mut calls = Vec::new();
        for n in 0..100 {
            let db = Arc::new((n, Mutex::new(())));
            places.insert(Arc::as_ptr(&db).addr());
            let mut call = Box::pin(load(db, n));
            assert!(poll_immediate(&mut call).await.is_none());
            // Every other caller goes, and with it what it passed. Its batch is still open.
            if n % 2 == 0 {
                calls.push((n, call));
            }
        }
        assert_eq!(places.len(), 100, "an open batch keeps its own alive");
        for (n, call) in calls {
            assert_eq!(call.await, (n, n));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_shared_goes_with_the_batch() {
        #[batched(share(db), max_batch_size = 2, delay = 1h)]
        async fn load(db: Arc<Db>, ids: Vec<u32>) -> HashMap<u32, String> {
            let found = db.find(&ids);
            sleep(10 * MS).await;
            found
        }
        let db = Db::new([1, 2]);
        let mut gone = Box::pin(load(Arc::clone(&db), 1));
        assert!(poll_immediate(&mut gone).await.is_none());
        drop(gone);
        // A caller that has gone is no part of it.
        assert_eq!(join(load(Arc::clone(&db), 2), load(Arc::clone(&db), 3)).await, (Some("user 2".to_owned()), None));
        assert_eq!(db.asked(), [[2, 3]]);
        everything_has_run().await;
        assert_eq!(Arc::strong_count(&db), 1);
        let awaits = cancel_at_every_await(
            async || Db::new([1]),
            async |db| {
                assert_eq!(
                    join(load(Arc::clone(&*db), 1), load(Arc::clone(&*db), 1)).await,
                    (Some("user 1".into()), Some("user 1".into()))
                );
            },
            async |db: &Arc<Db>| {
                sleep(Duration::from_secs(7_200)).await;
                assert_eq!(Arc::strong_count(db), 1);
            },
        )
        .await;
        assert!(awaits >= 1);
    }

    /// A runtime that goes takes its batches along, with what their callers share.
    #[test]
    fn so_it_does_with_the_runtime() {
        #[batched(share(db), delay = 1h)]
        async fn load(db: Arc<Db>, ids: Vec<u32>) -> Result<HashMap<u32, String>, Error> {
            Ok(db.find(&ids))
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let db = Db::new([1]);
        let mut call = Box::pin(load(Arc::clone(&db), 1));
        runtime.block_on(async { assert!(poll_immediate(&mut call).await.is_none()) });
        assert!(Arc::strong_count(&db) > 1);
        drop(runtime);
        assert!(futures::executor::block_on(call).unwrap_err().is_shutdown());
        assert_eq!(Arc::strong_count(&db), 1);
    }
}
