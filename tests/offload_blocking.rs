//! `#[offload_blocking]`: threads, limits, panics, cancellation.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{join_all, poll_immediate};
use steadfast::{BlockingPool, Error, offload, offload_blocking, retry, timeout};
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn runs_on_another_thread() {
    #[offload_blocking]
    fn id() -> ThreadId {
        thread::current().id()
    }
    assert_ne!(id().await, thread::current().id());
}

#[tokio::test]
async fn question_marks_and_returns_belong_to_the_body() {
    #[offload_blocking]
    fn parse(text: String) -> Result<u32, std::num::ParseIntError> {
        if text.is_empty() {
            return Ok(0);
        }
        let n: u32 = text.parse()?;
        Ok(n + 1)
    }
    assert_eq!(parse("41".to_owned()).await, Ok(42));
    assert_eq!(parse(String::new()).await, Ok(0));
    assert!(parse("x".to_owned()).await.is_err());
}

/// What the jobs of a test tell, and the go-ahead that they wait for.
struct Jobs {
    started: Sender<u32>,
    go: Arc<Mutex<Receiver<()>>>,
}

impl Clone for Jobs {
    fn clone(&self) -> Self {
        Self { started: self.started.clone(), go: Arc::clone(&self.go) }
    }
}

impl Jobs {
    fn new() -> (Self, Receiver<u32>, Sender<()>) {
        let (started, starts) = channel();
        let (go, gone) = channel();
        (Self { started, go: Arc::new(Mutex::new(gone)) }, starts, go)
    }

    fn run(&self, n: u32) -> u32 {
        self.started.send(n).unwrap();
        self.go.lock().unwrap().recv().unwrap();
        n
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_than_the_limit_at_once() {
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    #[offload_blocking(limit = 3)]
    fn count() {
        MOST.fetch_max(RUNNING.fetch_add(1, SeqCst) + 1, SeqCst);
        thread::yield_now();
        RUNNING.fetch_sub(1, SeqCst);
    }
    join_all((0..200).map(|_| tokio::spawn(count()))).await;
    assert!((1..=3).contains(&MOST.load(SeqCst)));
}

#[tokio::test]
async fn a_job_keeps_its_place_when_its_caller_is_gone() {
    #[offload_blocking(limit = 1)]
    fn job(jobs: Jobs, n: u32) -> u32 {
        jobs.run(n)
    }
    let (jobs, starts, go) = Jobs::new();
    let mut first = Box::pin(job(jobs.clone(), 1));
    assert!(poll_immediate(&mut first).await.is_none());
    assert_eq!(starts.recv(), Ok(1));
    drop(first);
    let mut second = Box::pin(job(jobs, 2));
    for _ in 0..100 {
        assert!(poll_immediate(&mut second).await.is_none());
        tokio::task::yield_now().await;
    }
    assert!(starts.try_recv().is_err(), "the place is still taken");
    go.send(()).unwrap();
    go.send(()).unwrap();
    assert_eq!(second.await, 2);
}

#[test]
fn a_call_that_is_dropped_before_its_job_starts_never_runs_it() {
    #[offload_blocking]
    fn job(jobs: Jobs, n: u32) -> u32 {
        jobs.run(n)
    }
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (jobs, starts, go) = Jobs::new();
        let mut first = Box::pin(job(jobs.clone(), 1));
        assert!(poll_immediate(&mut first).await.is_none());
        assert_eq!(starts.recv(), Ok(1));
        // Queued behind the first, and one that is not even polled.
        let mut second = Box::pin(job(jobs.clone(), 2));
        assert!(poll_immediate(&mut second).await.is_none());
        drop(second);
        drop(job(jobs.clone(), 3));
        for _ in 0..2 {
            go.send(()).unwrap();
        }
        assert_eq!((first.await, job(jobs, 4).await), (1, 4));
        assert_eq!(starts.try_iter().collect::<Vec<_>>(), [4]);
    });
}

#[tokio::test]
async fn a_panic_is_resumed_with_its_payload() {
    static POOL: BlockingPool = BlockingPool::new("panics", 1);
    #[offload_blocking]
    fn on_tokio() {
        std::panic::panic_any(42_u8);
    }
    #[offload_blocking(pool = POOL)]
    fn on_pool() {
        std::panic::panic_any(43_u8);
    }
    let payload = AssertUnwindSafe(on_tokio()).catch_unwind().await.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&42_u8));
    for _ in 0..3 {
        let payload = AssertUnwindSafe(on_pool()).catch_unwind().await.unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&43_u8));
    }
}

#[tokio::test]
async fn a_pool_of_its_own() {
    static POOL: BlockingPool = BlockingPool::new("own pool", 2);
    #[offload_blocking(pool = POOL)]
    fn name() -> (Option<String>, ThreadId) {
        (thread::current().name().map(str::to_owned), thread::current().id())
    }
    let names = join_all((0..100).map(|_| name())).await;
    assert!(names.iter().all(|(name, _)| name.as_deref() == Some("own pool")));
    let threads: std::collections::HashSet<_> = names.into_iter().map(|(_, id)| id).collect();
    assert!(threads.len() <= 2);
}

#[tokio::test]
async fn a_pool_in_a_field_whose_owner_goes_into_the_job() {
    struct Service {
        pool: BlockingPool,
        n: u32,
    }
    impl Service {
        #[offload_blocking(pool = self.pool)]
        fn work(self: Arc<Self>, plus: u32) -> u32 {
            self.n + plus
        }
    }
    let service = Arc::new(Service { pool: BlockingPool::new("field", 1), n: 40 });
    assert_eq!(Arc::clone(&service).work(2).await, 42);
}

#[tokio::test]
async fn a_pool_that_is_dropped_tells_those_who_wait() {
    static POOL: Mutex<Option<BlockingPool>> = Mutex::new(Some(BlockingPool::new("short-lived", 1)));
    #[offload_blocking(pool = POOL.lock().unwrap().as_ref().unwrap())]
    fn job(jobs: Jobs, n: u32) -> Result<u32, Error> {
        Ok(jobs.run(n))
    }
    let (jobs, starts, go) = Jobs::new();
    let (mut first, mut second) = (Box::pin(job(jobs.clone(), 1)), Box::pin(job(jobs, 2)));
    assert!(poll_immediate(&mut first).await.is_none());
    assert_eq!(starts.recv(), Ok(1));
    assert!(poll_immediate(&mut second).await.is_none());
    POOL.lock().unwrap().take();
    assert!(second.await.unwrap_err().is_shutdown(), "what has not started is given up");
    go.send(()).unwrap();
    assert_eq!(first.await, Ok(1), "what has started runs to its end");
}

#[test]
fn a_runtime_that_shuts_down_is_an_error_where_there_is_room_for_one() {
    #[offload_blocking]
    fn job() -> Result<(), std::io::Error> {
        Ok(())
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handle = runtime.handle().clone();
    runtime.shutdown_background();
    let _inside = handle.enter();
    let error = futures::executor::block_on(job()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    assert_eq!(error.to_string(), "`job` did not run: its thread pool has shut down");
}

/// Counts how often it is cloned.
struct Counted(Arc<AtomicUsize>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, SeqCst);
        Self(Arc::clone(&self.0))
    }
}

#[tokio::test]
async fn a_retry_above_clones_the_arguments_for_each_attempt_but_the_last() {
    #[retry(attempts = 3, delay = 0s)]
    #[offload_blocking]
    fn job(counted: Counted, mut list: Vec<u32>, runs: Arc<AtomicUsize>, fails: usize) -> Option<usize> {
        drop(counted);
        list.push(1);
        (runs.fetch_add(1, SeqCst) >= fails).then_some(list.len())
    }
    for (fails, clones, outcome) in [(0, 1, Some(1)), (1, 2, Some(1)), (2, 2, Some(1)), (3, 2, None)] {
        let clone_count = Arc::new(AtomicUsize::new(0));
        let counted = Counted(Arc::clone(&clone_count));
        assert_eq!(job(counted, vec![], Arc::default(), fails).await, outcome);
        assert_eq!(clone_count.load(SeqCst), clones, "after {fails} failures");
    }
}

/// Panics when it is dropped, with a payload that panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        struct Payload;
        impl Drop for Payload {
            fn drop(&mut self) {
                std::panic::panic_any(());
            }
        }
        std::panic::panic_any(Payload);
    }
}

/// What an abandoned job leaves behind is dropped on a thread that others need.
#[tokio::test]
async fn a_destructor_that_panics_costs_no_thread() {
    static POOL: BlockingPool = BlockingPool::new("one", 1);
    #[offload_blocking(pool = POOL)]
    fn job(jobs: Jobs, n: u32) -> (u32, Option<Bomb>) {
        (jobs.run(n), (n == 1).then(|| Bomb))
    }
    let (jobs, starts, go) = Jobs::new();
    for _ in 0..3 {
        let mut abandoned = Box::pin(job(jobs.clone(), 1));
        assert!(poll_immediate(&mut abandoned).await.is_none());
        assert_eq!(starts.recv(), Ok(1));
        drop(abandoned);
        go.send(()).unwrap();
        go.send(()).unwrap();
        assert_eq!(job(jobs.clone(), 2).await.0, 2);
        assert_eq!(starts.recv(), Ok(2));
    }
}

#[cfg(feature = "rayon")]
#[tokio::test]
async fn a_destructor_that_panics_does_not_end_the_process() {
    #[offload_blocking(pool = rayon)]
    fn job(jobs: Jobs, n: u32) -> (u32, Option<Bomb>) {
        (jobs.run(n), (n == 1).then(|| Bomb))
    }
    let (jobs, starts, go) = Jobs::new();
    let mut abandoned = Box::pin(job(jobs.clone(), 1));
    assert!(poll_immediate(&mut abandoned).await.is_none());
    assert_eq!(starts.recv(), Ok(1));
    drop(abandoned);
    go.send(()).unwrap();
    go.send(()).unwrap();
    assert_eq!(job(jobs, 2).await.0, 2);
    // The two ran beside each other: the first may still be at it.
    thread::sleep(Duration::from_millis(50));
}

/// Fills `busy` with a job, and gives up a call behind it.
async fn given_up_behind<B: Future<Output = u32>, W: Future<Output = ()>>(
    busy: impl Fn(Jobs, u32) -> B,
    queued: impl FnOnce(Arc<()>) -> W,
    threads: u32,
) {
    let (jobs, starts, go) = Jobs::new();
    let mut first: Vec<_> = (0..threads).map(|n| Box::pin(busy(jobs.clone(), n))).collect();
    for first in &mut first {
        assert!(poll_immediate(first).await.is_none());
    }
    for _ in 0..threads {
        starts.recv().unwrap();
    }
    let argument = Arc::new(());
    let mut given_up = Box::pin(queued(Arc::clone(&argument)));
    assert!(poll_immediate(&mut given_up).await.is_none());
    assert_eq!(Arc::strong_count(&argument), 2);
    drop(given_up);
    assert_eq!(Arc::strong_count(&argument), 1, "no thread was free yet");
    for _ in 0..threads {
        go.send(()).unwrap();
    }
    join_all(first).await;
}

#[test]
fn a_call_that_is_given_up_drops_its_arguments_at_once() {
    static POOL: BlockingPool = BlockingPool::new("busy", 1);
    #[offload_blocking]
    fn on_tokio(jobs: Jobs, n: u32) -> u32 {
        jobs.run(n)
    }
    #[offload_blocking]
    fn waits_for_tokio(argument: Arc<()>) {
        drop(argument);
    }
    #[offload_blocking(pool = POOL)]
    fn on_pool(jobs: Jobs, n: u32) -> u32 {
        jobs.run(n)
    }
    #[offload_blocking(pool = POOL)]
    fn waits_for_pool(argument: Arc<()>) {
        drop(argument);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        given_up_behind(on_tokio, waits_for_tokio, 1).await;
        given_up_behind(on_tokio, |argument| offload(move || drop(argument)), 1).await;
        given_up_behind(on_pool, waits_for_pool, 1).await;
    });
}

#[cfg(feature = "rayon")]
#[tokio::test]
async fn so_does_one_that_waits_for_rayon() {
    #[offload_blocking(pool = rayon)]
    fn on_rayon(jobs: Jobs, n: u32) -> u32 {
        jobs.started.send(n).unwrap();
        // Not under the lock of the others: all of rayon's threads wait here at once.
        while jobs.go.lock().unwrap().try_recv().is_err() {
            thread::sleep(Duration::from_millis(1));
        }
        n
    }
    #[offload_blocking(pool = rayon)]
    fn waits_for_rayon(argument: Arc<()>) {
        drop(argument);
    }
    let threads = rayon::current_num_threads().try_into().unwrap();
    given_up_behind(on_rayon, waits_for_rayon, threads).await;
}

/// The arguments are the caller's, whoever gives up first.
#[tokio::test]
async fn a_pool_that_is_dropped_survives_the_arguments_in_its_queue() {
    static POOL: Mutex<Option<BlockingPool>> = Mutex::new(Some(BlockingPool::new("short-lived", 1)));
    #[offload_blocking(pool = POOL.lock().unwrap().as_ref().unwrap())]
    fn job(jobs: Jobs, bomb: Option<Bomb>) -> Result<u32, Error> {
        std::mem::forget(bomb);
        Ok(jobs.run(1))
    }
    let (jobs, starts, go) = Jobs::new();
    let mut first = Box::pin(job(jobs.clone(), None));
    assert!(poll_immediate(&mut first).await.is_none());
    assert_eq!(starts.recv(), Ok(1));
    let mut queued: Vec<_> = (0..3).map(|_| Box::pin(job(jobs.clone(), Some(Bomb)))).collect();
    for call in &mut queued {
        assert!(poll_immediate(call).await.is_none());
    }
    drop(POOL.lock().unwrap().take());
    for call in queued {
        assert!(call.await.unwrap_err().is_shutdown());
    }
    go.send(()).unwrap();
    assert_eq!(first.await, Ok(1));
}

/// Long in real time, and no time at all by a clock that waits for it.
fn work() -> u32 {
    thread::sleep(Duration::from_millis(30));
    1
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_waits_for_a_job_on_any_pool() {
    static POOL: BlockingPool = BlockingPool::new("paused", 1);
    #[timeout(60s)]
    #[offload_blocking(pool = POOL)]
    fn on_pool() -> Result<u32, Error> {
        Ok(work())
    }
    #[timeout(60s)]
    #[offload_blocking]
    fn on_tokio() -> Result<u32, Error> {
        Ok(work())
    }
    #[timeout(60s)]
    async fn nested() -> Result<u32, Error> {
        Ok(on_pool().await? + offload(work).await)
    }
    let started = Instant::now();
    assert_eq!(on_pool().await, Ok(1));
    assert_eq!(on_tokio().await, Ok(1));
    assert_eq!(nested().await, Ok(2));
    // Also those that wait for a thread.
    assert_eq!(join_all([on_pool(), on_pool(), on_pool()]).await, [Ok(1), Ok(1), Ok(1)]);
    assert_eq!(started.elapsed(), Duration::ZERO);
    // And then it moves on again.
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!(started.elapsed().as_secs(), 3_600);
}

#[cfg(feature = "rayon")]
#[tokio::test(start_paused = true)]
async fn a_paused_clock_waits_for_rayon() {
    #[timeout(60s)]
    #[offload_blocking(pool = rayon)]
    fn on_rayon() -> Result<u32, Error> {
        Ok(work())
    }
    assert_eq!(on_rayon().await, Ok(1));
}

#[tokio::test]
async fn a_clock_that_is_paused_later_waits_as_well() {
    static POOL: BlockingPool = BlockingPool::new("paused later", 1);
    #[offload_blocking(pool = POOL)]
    fn job() -> u32 {
        work()
    }
    let mut job = Box::pin(job());
    assert!(poll_immediate(&mut job).await.is_none());
    tokio::time::pause();
    assert_eq!(tokio::time::timeout(Duration::from_secs(60), job).await, Ok(1));
}

/// As with tokio's own blocking tasks: a job that runs on for nobody is waited for, one that will never run is not.
#[tokio::test(start_paused = true)]
async fn a_paused_clock_waits_for_what_runs() {
    static POOL: BlockingPool = BlockingPool::new("abandoned", 1);
    #[offload_blocking(pool = POOL)]
    fn job(jobs: Jobs, n: u32) -> u32 {
        jobs.run(n)
    }
    let (jobs, starts, go) = Jobs::new();
    let (mut running, mut queued) = (Box::pin(job(jobs.clone(), 1)), Box::pin(job(jobs, 2)));
    assert!(poll_immediate(&mut running).await.is_none());
    assert!(poll_immediate(&mut queued).await.is_none());
    assert_eq!(starts.recv(), Ok(1));
    drop((running, queued));
    let since = std::time::Instant::now();
    let go = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        go.send(())
    });
    sleep(Duration::from_secs(60)).await;
    assert!(since.elapsed() >= Duration::from_millis(20), "the clock moved while the job ran");
    go.join().unwrap().unwrap();
}

/// A job elsewhere does not keep a runtime from being dropped, whether its clock could be paused or not.
#[test]
fn a_runtime_does_not_wait_for_a_pool_of_ones_own() {
    static POOL: BlockingPool = BlockingPool::new("stuck", 1);
    #[offload_blocking(pool = POOL)]
    fn job(jobs: Jobs) -> u32 {
        jobs.run(1)
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (jobs, starts, go) = Jobs::new();
    let mut job = Box::pin(job(jobs));
    runtime.block_on(async { assert!(poll_immediate(&mut job).await.is_none()) });
    assert_eq!(starts.recv(), Ok(1));
    drop(runtime);
    go.send(()).unwrap();
    assert_eq!(futures::executor::block_on(job), 1);
}

#[cfg(feature = "rayon")]
#[tokio::test]
async fn on_rayon() {
    #[offload_blocking(pool = rayon, limit = 2)]
    fn index() -> Option<usize> {
        rayon::current_thread_index()
    }
    #[offload_blocking(pool = rayon)]
    fn panics() {
        panic!("on rayon");
    }
    assert!(index().await.is_some());
    assert!(AssertUnwindSafe(panics()).catch_unwind().await.is_err());
}

/// The name of an argument means the argument.
#[tokio::test]
async fn a_pool_that_is_called_like_another() {
    #[offload_blocking(pool = rayon)]
    fn on_mine(rayon: Arc<BlockingPool>) -> Option<String> {
        let _ = rayon;
        thread::current().name().map(str::to_owned)
    }
    #[offload_blocking(pool = tokio)]
    fn on_it(tokio: Arc<BlockingPool>) -> Option<String> {
        let _ = tokio;
        thread::current().name().map(str::to_owned)
    }
    let pool = Arc::new(BlockingPool::new("mine", 1));
    assert!(on_mine(pool.clone()).await.unwrap().starts_with("mine"));
    assert!(on_it(pool).await.unwrap().starts_with("mine"));
}
