//! `#[finally]`: a cleanup, however the function ends.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(clippy::items_after_statements, reason = "each function stands where it is tested")]

use std::sync::{Arc, LazyLock, Mutex, Once};
use std::time::Duration;

use steadfast::{Error, Exit, Report, async_cached, finally, offload_blocking, on_report, retry, timeout};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, event: impl Into<String>) {
        self.0.lock().unwrap().push(event.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// A cleanup that takes a second.
    async fn clean(self, exit: Exit) {
        self.note(format!("begin {exit:?}"));
        sleep(SECOND).await;
        self.note("end");
    }
}

/// What was reported of a function, from the first call on.
fn told(function: &str) -> Vec<String> {
    static TOLD: Mutex<Vec<Report>> = Mutex::new(Vec::new());
    static ONCE: Once = Once::new();
    ONCE.call_once(|| on_report(|report| TOLD.lock().unwrap().push(report.clone())));
    TOLD.lock().unwrap().iter().filter(|report| report.name() == function).map(ToString::to_string).collect()
}

/// Notes when it goes.
struct Guard(Log);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.note("body gone");
    }
}

#[finally(|exit| log.clean(exit))]
async fn work(log: Log, how: u32) -> Result<u32, Error> {
    let _guard = Guard(log.clone());
    match how {
        0 => Ok(7),
        1 => std::future::pending().await,
        2 => panic!("as it was told"),
        _ => timed_out().await,
    }
}

#[timeout(1ms)]
async fn timed_out() -> Result<u32, Error> {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn it_runs_once_on_every_end_and_knows_which() {
    let log = Log::default();
    assert_eq!(work(log.clone(), 0).await, Ok(7));
    assert_eq!(log.take(), ["body gone", "begin Ok", "end"], "the call waited for it");
    assert!(work(log.clone(), 3).await.unwrap_err().is_timeout());
    assert_eq!(log.take(), ["body gone", "begin Err", "end"], "the error is the body's");
    assert!(tokio::spawn(work(log.clone(), 2)).await.unwrap_err().is_panic());
    assert_eq!(log.take(), ["body gone", "begin Panicked", "end"], "the panic waited for it");
    assert!(tokio::time::timeout(SECOND, work(log.clone(), 1)).await.is_err());
    assert_eq!(log.take(), ["body gone"], "it goes on behind the caller");
    steadfast::drain(60 * SECOND).await;
    assert_eq!(log.take(), ["begin Cancelled", "end"]);
    drop(work(log.clone(), 0));
    sleep(2 * SECOND).await;
    assert!(log.take().is_empty(), "a call that was never polled has nothing to clean up");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_during_the_cleanup_does_not_cut_it_short() {
    let log = Log::default();
    assert!(tokio::time::timeout(SECOND / 2, work(log.clone(), 0)).await.is_err());
    assert_eq!(log.take(), ["body gone", "begin Ok"]);
    sleep(SECOND).await;
    assert_eq!(log.take(), ["end"]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_above_bounds_the_wait_and_not_the_cleanup() {
    #[timeout(500ms)]
    #[finally(log.clean(Exit::Ok))]
    async fn slow(log: Log) -> Result<(), Error> {
        log.note("body");
        std::future::pending().await
    }
    let log = Log::default();
    assert!(slow(log.clone()).await.unwrap_err().is_timeout());
    sleep(2 * SECOND).await;
    assert_eq!(log.take(), ["body", "begin Ok", "end"]);
}

#[tokio::test(start_paused = true)]
async fn it_may_name_borrowed_text_slices_and_a_shared_self() {
    struct Db(Log);
    impl Db {
        #[finally({
            let log = self.0.clone();
            async move { log.note(format!("{name} {numbers:?}")) }
        })]
        async fn run(self: Arc<Self>, name: &str, numbers: &[u32]) -> usize {
            self.0.note("body");
            name.len() + numbers.len()
        }
    }
    let db = Arc::new(Db(Log::default()));
    assert_eq!(Arc::clone(&db).run("abc", &[1]).await, 4);
    assert_eq!(db.0.take(), ["body", "abc [1]"]);
}

/// What it names is its own, and it may borrow that.
#[tokio::test(start_paused = true)]
async fn it_may_borrow_what_it_names() {
    struct Db(Log);
    impl Db {
        async fn close(&self) {
            tokio::task::yield_now().await;
            self.0.note("closed");
        }
        #[finally(self.close())]
        async fn run(self: Arc<Self>) -> usize {
            1
        }
    }
    async fn release(log: &Log, name: &str) {
        tokio::task::yield_now().await;
        log.note(name);
    }
    #[finally(release(&log, name))]
    async fn named(log: Log, name: &str) -> usize {
        name.len()
    }
    #[finally(|exit| release(&log, if exit == Exit::Ok { name } else { "failed" }))]
    async fn told(log: Log, name: &str) -> Option<usize> {
        (!name.is_empty()).then_some(name.len())
    }
    // A guard in the expression is gone before the cleanup waits.
    #[finally(release_number(*number.lock().unwrap(), Arc::clone(&number), log.clone()))]
    async fn guarded(number: Arc<Mutex<u32>>, log: Log) {
        *number.lock().unwrap() += 1;
    }
    async fn release_number(number: u32, again: Arc<Mutex<u32>>, log: Log) {
        tokio::task::yield_now().await;
        assert_eq!(*again.lock().unwrap(), number);
        log.note("released");
    }
    #[finally(release(&log, r#type))]
    async fn raw(log: Log, r#type: &str) -> usize {
        r#type.len()
    }
    let log = Log::default();
    guarded(Arc::default(), log.clone()).await;
    raw(log.clone(), "raw").await;
    assert_eq!(log.take(), ["released", "raw"]);
    assert_eq!(Arc::new(Db(log.clone())).run().await, 1);
    assert_eq!((named(log.clone(), "ab").await, told(log.clone(), "abc").await, told(log.clone(), "").await), (2, Some(3), None));
    assert_eq!(log.take(), ["closed", "ab", "abc", "failed"]);
}

#[tokio::test(start_paused = true)]
async fn order_is_as_written() {
    #[retry(attempts = 2, delay = 0s)]
    #[finally(log.clone().clean(Exit::Ok))]
    async fn each(log: &'static Log) -> Option<()> {
        log.note("attempt");
        None
    }
    #[finally(log.clone().clean(Exit::Ok))]
    #[retry(attempts = 2, delay = 0s)]
    async fn once(log: &'static Log) -> Option<()> {
        log.note("attempt");
        None
    }
    let log: &'static Log = Box::leak(Box::default());
    each(log).await;
    assert_eq!(log.take(), ["attempt", "begin Ok", "end", "attempt", "begin Ok", "end"]);
    once(log).await;
    assert_eq!(log.take(), ["attempt", "attempt", "begin Ok", "end"]);
}

#[tokio::test]
async fn over_a_cache_and_a_blocking_job() {
    #[async_cached(skip(log))]
    #[finally({ let log = log.clone(); async move { log.note(format!("after {n}")) } })]
    #[offload_blocking]
    fn square(log: Log, n: u32) -> u32 {
        log.note("job");
        n * n
    }
    let log = Log::default();
    assert_eq!((square(log.clone(), 4).await, square(log.clone(), 4).await), (16, 16));
    assert_eq!(log.take(), ["job", "after 4"], "a hit runs nothing below");
}

#[tokio::test(start_paused = true)]
async fn failures_of_the_cleanup_are_told_and_change_nothing() {
    fn panic_of_a_cleanup() {
        panic!("clumsy")
    }
    told("");
    #[finally(async { Err::<(), _>("the lock is gone") })]
    async fn locked() -> Result<u32, String> {
        Err("the body's own".to_owned())
    }
    #[finally(async { panic_of_a_cleanup() })]
    async fn clumsily() -> u32 {
        5
    }
    assert_eq!(locked().await, Err("the body's own".to_owned()));
    assert_eq!(clumsily().await, 5);
    assert_eq!(told("locked"), ["`locked` failed in the background: the lock is gone"]);
    assert_eq!(told("clumsily"), ["`clumsily` panicked in the background: clumsy"]);
}

#[test]
fn a_runtime_that_shuts_down_makes_no_panic() {
    let log = Log::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let mut call = Box::pin(work(log.clone(), 1));
    runtime.block_on(async { assert!(futures::poll!(&mut call).is_pending()) });
    drop(runtime);
    drop(call);
    assert_eq!(log.take(), ["body gone"]);
}

#[tokio::test(start_paused = true)]
async fn at_each_await() {
    let awaits = steadfast::testing::cancel_at_every_await(
        async || Log::default(),
        async |log: &mut Log| counted(log.clone()).await,
        async |log: &Log| {
            let events = log.0.lock().unwrap().clone();
            assert!(events.is_empty() || events == ["acquired", "released"], "{events:?}");
        },
    )
    .await;
    assert!(awaits >= 3);
}

#[finally(async move { log.note("released") })]
async fn counted(log: Log) {
    log.note("acquired");
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn in_generic_impls_with_borrowed_arguments_that_it_does_not_name() {
    struct Rows<T>(Vec<T>);
    impl<T: Clone + std::fmt::Debug + Send + 'static> Rows<T> {
        #[finally({ let log = log.clone(); async move { log.note(format!("pushed {row:?}")) } })]
        #[timeout(1s)]
        async fn push(&mut self, row: T, log: Log, text: &mut String) -> Option<usize> {
            tokio::task::yield_now().await;
            self.0.push(row);
            text.push('!');
            log.note(text.as_str());
            Some(self.0.len())
        }
    }
    let (mut rows, log, mut text) = (Rows(Vec::new()), Log::default(), String::new());
    assert_eq!(rows.push(7, log.clone(), &mut text).await, Some(1));
    assert_eq!(log.take(), ["!", "pushed 7"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_not_lost_where_a_deadline_ends_during_the_cleanup() {
    #[timeout(500ms)]
    #[finally(log.clone().clean(Exit::Panicked))]
    #[timeout(1min)]
    #[retry]
    async fn fails(log: &'static Log) -> Result<(), Error> {
        sleep(SECOND / 10).await;
        log.note("body");
        panic!("as it is")
    }
    static LOG: LazyLock<Log> = LazyLock::new(Log::default);
    let panic = tokio::spawn(fails(&LOG)).await.unwrap_err().into_panic();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "as it is");
    assert_eq!(LOG.take(), ["body", "begin Panicked", "end"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_goes_with_the_panic_of_another_was_cancelled() {
    let log = Log::default();
    let beside = async {
        sleep(SECOND).await;
        panic!("beside it")
    };
    let call = work(log.clone(), 1);
    let both = tokio::spawn(async move { tokio::join!(call, beside) });
    assert!(both.await.unwrap_err().is_panic());
    sleep(2 * SECOND).await;
    assert_eq!(log.take(), ["body gone", "begin Cancelled", "end"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_between_two_waits_is_one_of_the_function_too() {
    #[finally(|exit| log.clone().clean(exit))]
    #[retry(when = |_| panic!("in the policy"))]
    async fn fails(log: &'static Log) -> Result<(), Error> {
        log.note("body");
        timed_out().await.map(drop)
    }
    static LOG: LazyLock<Log> = LazyLock::new(Log::default);
    assert!(tokio::spawn(fails(&LOG)).await.unwrap_err().is_panic());
    sleep(2 * SECOND).await;
    assert_eq!(LOG.take(), ["body", "begin Panicked", "end"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_whose_caller_leaves_during_the_cleanup_is_reported() {
    #[finally(sleep(SECOND))]
    async fn left_early(text: &str) -> usize {
        assert!(text.is_empty(), "nobody is there");
        0
    }
    told("");
    assert!(tokio::time::timeout(SECOND / 2, left_early("x")).await.is_err());
    assert_eq!(told("left_early"), ["`left_early` panicked in the background: nobody is there"]);
    assert_eq!(left_early("").await, 0);
}

/// A cleanup that needs no timer.
#[finally(|exit| note_twice(log, exit))]
async fn without_timers(log: Log, how: u32) -> Result<u32, Error> {
    match how {
        0 => Ok(7),
        1 => std::future::pending().await,
        _ => panic!("as it was told"),
    }
}

async fn note_twice(log: Log, exit: Exit) -> Result<(), &'static str> {
    log.note(format!("begin {exit:?}"));
    tokio::task::yield_now().await;
    log.note("end");
    Err("disk full")
}

#[test]
fn without_a_runtime_a_call_that_ends_awaits_it_in_place() {
    let log = Log::default();
    told("");
    assert_eq!(futures::executor::block_on(without_timers(log.clone(), 0)), Ok(7));
    assert_eq!(log.take(), ["begin Ok", "end"]);
    let panics = std::panic::AssertUnwindSafe(|| futures::executor::block_on(without_timers(log.clone(), 2)));
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(log.take(), ["begin Panicked", "end"]);
    assert_eq!(told("without_timers"), ["`without_timers` failed in the background: disk full"; 2]);
    // It cannot run where the call is dropped, nor go on.
    assert!(futures::executor::block_on(futures::future::poll_immediate(without_timers(log.clone(), 1))).is_none());
    assert!(log.take().is_empty());
    assert!(futures::executor::block_on(futures::future::poll_immediate(without_timers(log.clone(), 0))).is_none());
    assert_eq!(log.take(), ["begin Ok"]);
    let lost = [
        "`without_timers` did not run its cleanup: no Tokio runtime",
        "`without_timers` did not finish its cleanup: the call was dropped outside of a Tokio runtime",
    ];
    assert_eq!(told("without_timers")[2..], lost);
}

/// Its own type parameters are refused by the attribute, those of the `impl` around it are not seen.
#[tokio::test(start_paused = true)]
async fn what_a_parameter_of_the_impl_stands_for_is_a_plain_value() {
    struct Job<R>(R);
    impl<R: Send + 'static> Job<R> {
        #[finally(|exit| log.clean(exit))]
        async fn run(self, log: Log) -> R {
            self.0
        }

        #[finally(|exit| log.clean(exit))]
        async fn fallible<E: Send + 'static>(outcome: Result<R, E>, log: Log) -> Result<R, E> {
            outcome
        }
    }
    let log = Log::default();
    assert_eq!(Job(Err::<u8, u8>(1)).run(log.clone()).await, Err(1));
    assert_eq!(Job::fallible(Err::<u8, u8>(1), log.clone()).await, Err(1));
    assert_eq!(log.take(), ["begin Ok", "end", "begin Err", "end"]);
}

/// What is called like an argument, and is none, needs no clone.
#[tokio::test]
async fn a_cleanup_has_names_of_its_own() {
    struct NotClone;
    impl Drop for NotClone {
        fn drop(&mut self) {}
    }
    struct Parts {
        n: u32,
    }
    impl Parts {
        fn n(&self) -> u32 {
            self.n
        }
    }
    mod n {
        pub(super) fn go() -> std::future::Ready<()> {
            std::future::ready(())
        }
    }
    fn note(_: Exit, _: u32) -> std::future::Ready<()> {
        std::future::ready(())
    }
    fn clean(_: u32) -> std::future::Ready<()> {
        std::future::ready(())
    }
    #[finally(|exit| note(exit, 1))]
    async fn parameter(exit: NotClone) -> u32 {
        drop(exit);
        1
    }
    #[finally(clean(parts.n))]
    async fn field(parts: Arc<Parts>, n: NotClone) -> u32 {
        drop(n);
        parts.n
    }
    #[finally(clean(parts.n()))]
    async fn method(parts: Arc<Parts>, n: &mut NotClone) -> u32 {
        let _ = n;
        parts.n
    }
    #[finally(n::go())]
    async fn module(n: NotClone) -> u32 {
        drop(n);
        1
    }
    #[finally({ let n = 1; clean(n) })]
    async fn local(n: NotClone) -> u32 {
        drop(n);
        1
    }
    let parts = || Arc::new(Parts { n: 1 });
    assert_eq!(parameter(NotClone).await + field(parts(), NotClone).await + method(parts(), &mut NotClone).await, 3);
    assert_eq!(module(NotClone).await + local(NotClone).await, 2);
}
