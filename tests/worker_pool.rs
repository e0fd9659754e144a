//! `WorkerPool`: order, back-pressure, failures, joining and shutting down.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use futures::future::poll_immediate;
use steadfast::{Report, ReportKind, SubmitError, WorkerPool, on_report};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};

static REPORTS: Mutex<Vec<Report>> = Mutex::new(Vec::new());

fn record_reports() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| on_report(|report| REPORTS.lock().unwrap().push(report.clone())));
}

fn reports_of(name: &str) -> Vec<(ReportKind, String)> {
    let reports = REPORTS.lock().unwrap();
    reports.iter().filter(|report| report.name() == name).map(|report| (report.kind(), report.message().to_owned())).collect()
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

type Seen = Arc<Mutex<Vec<u32>>>;

/// A pool whose jobs take as many seconds as they say, and are then listed.
fn sleepers(workers: usize, queue: usize) -> (WorkerPool<u32>, Seen) {
    let seen = Seen::default();
    let pool = WorkerPool::new(workers, queue, {
        let seen = Arc::clone(&seen);
        move |seconds| {
            let seen = Arc::clone(&seen);
            async move {
                sleep(SECOND * seconds).await;
                seen.lock().unwrap().push(seconds);
            }
        }
    });
    (pool, seen)
}

#[tokio::test(start_paused = true)]
async fn one_worker_does_the_jobs_in_order() {
    let (pool, seen) = sleepers(1, 8);
    for seconds in [3, 1, 2] {
        pool.submit(seconds).await.unwrap();
    }
    pool.join().await;
    assert_eq!(*seen.lock().unwrap(), [3, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn as_many_jobs_run_at_once_as_there_are_workers() {
    let (pool, seen) = sleepers(4, 100);
    let start = Instant::now();
    for _ in 0..40 {
        pool.submit(1).await.unwrap();
    }
    pool.join().await;
    assert_eq!((start.elapsed().as_secs(), seen.lock().unwrap().len()), (10, 40));
}

#[tokio::test(start_paused = true)]
async fn submit_waits_while_the_queue_is_full() {
    let (pool, _) = sleepers(1, 2);
    let start = Instant::now();
    for _ in 0..4 {
        pool.submit(1).await.unwrap();
        yield_now().await;
    }
    // One at work, two in the queue: the fourth waits for the first to end.
    assert_eq!(start.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn try_submit_gives_the_job_back_when_the_queue_is_full() {
    let (pool, _) = sleepers(1, 2);
    pool.try_submit(1).unwrap();
    pool.try_submit(2).unwrap();
    assert_eq!(pool.try_submit(3), Err(SubmitError::Full(3)));
    assert_eq!(pool.queued(), 2);
    assert_eq!(SubmitError::Full(3).into_job(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_submit_that_is_dropped_has_queued_nothing() {
    let (pool, seen) = sleepers(1, 1);
    pool.submit(1).await.unwrap();
    assert!(poll_immediate(pool.submit(7)).await.is_none());
    pool.join().await;
    assert_eq!(*seen.lock().unwrap(), [1]);
}

/// What a job is to do.
#[derive(Clone, Copy)]
enum Act {
    End,
    Fail,
    Panic,
    Stay,
}

async fn act(act: Act) -> Result<(), String> {
    yield_now().await;
    match act {
        Act::End => Ok(()),
        Act::Fail => Err("bad address".to_owned()),
        Act::Panic => panic!("bad job"),
        Act::Stay => pending().await,
    }
}

#[tokio::test]
async fn a_panicking_job_hangs_nobody() {
    let pool = WorkerPool::new(2, 4, act);
    for n in 0..40 {
        pool.submit(if n % 4 == 3 { Act::End } else { Act::Panic }).await.unwrap();
    }
    pool.join().await;
    let report = pool.shutdown(HOUR).await;
    assert_eq!((report.done, report.panicked), (10, 30));
}

#[tokio::test]
async fn a_handler_that_panics_before_its_future_exists_hangs_nobody() {
    let pool = WorkerPool::new(1, 4, |n: u32| {
        assert_ne!(n, 1, "one");
        async {}
    });
    for n in [1, 2] {
        pool.submit(n).await.unwrap();
    }
    pool.join().await;
    let report = pool.shutdown(HOUR).await;
    assert_eq!((report.done, report.panicked), (1, 1));
}

#[tokio::test]
async fn failures_are_reported_once_under_the_name_of_the_pool() {
    record_reports();
    let pool = WorkerPool::named("mails", 1, 4, act);
    for job in [Act::End, Act::Fail, Act::Panic] {
        pool.submit(job).await.unwrap();
    }
    let report = pool.shutdown(HOUR).await;
    assert_eq!((report.done, report.failed, report.panicked, report.aborted), (1, 1, 1, 0));
    let expected = [(ReportKind::Error, "bad address".to_owned()), (ReportKind::Panic, "bad job".to_owned())];
    assert_eq!(reports_of("mails"), expected);
}

#[tokio::test(start_paused = true)]
async fn join_waits_only_for_what_was_submitted_before() {
    let (pool, seen) = sleepers(2, 8);
    let start = Instant::now();
    pool.submit(2).await.unwrap();
    let mut join = Box::pin(pool.join());
    assert!(poll_immediate(&mut join).await.is_none());
    pool.submit(100).await.unwrap();
    join.await;
    assert_eq!((start.elapsed().as_secs(), &*seen.lock().unwrap()), (2, &vec![2]));
    // A join that was given up changes nothing for the next.
    assert!(timeout(SECOND, pool.join()).await.is_err());
    pool.join().await;
    assert_eq!((start.elapsed().as_secs(), &*seen.lock().unwrap()), (100, &vec![2, 100]));
}

#[tokio::test(start_paused = true)]
async fn joins_at_different_times_each_wait_for_their_own() {
    let (pool, _) = sleepers(3, 8);
    let start = Instant::now();
    let at = async |seconds| {
        pool.submit(seconds).await.unwrap();
        pool.join().await;
        start.elapsed().as_secs()
    };
    assert_eq!(steadfast::gather_local([5, 1, 3].map(at)).await, [5, 5, 5]);
}

#[tokio::test]
async fn join_with_nothing_submitted_returns_at_once() {
    let (pool, _) = sleepers(1, 1);
    assert!(pool.join().now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn shutdown_drains_the_queue() {
    let (pool, seen) = sleepers(2, 8);
    for _ in 0..6 {
        pool.submit(1).await.unwrap();
    }
    let start = Instant::now();
    let report = pool.shutdown(Duration::from_secs(60)).await;
    assert_eq!((report.done, report.aborted, report.never_started), (6, 0, vec![]));
    assert_eq!((start.elapsed().as_secs(), seen.lock().unwrap().len()), (3, 6));
}

#[tokio::test(start_paused = true)]
async fn shutdown_aborts_at_its_deadline_and_gives_back_what_never_started() {
    let (pool, seen) = sleepers(2, 8);
    for seconds in [1, 2, 50, 51, 52, 53] {
        pool.submit(seconds).await.unwrap();
    }
    let start = Instant::now();
    let report = pool.shutdown(Duration::from_secs(10)).await;
    assert_eq!((report.done, report.aborted, report.never_started), (2, 2, vec![52, 53]));
    assert_eq!((start.elapsed().as_secs(), &*seen.lock().unwrap()), (10, &vec![1, 2]));
    // Joining now does not wait for what will never be done.
    assert!(pool.join().now_or_never().is_some());
    let again = pool.shutdown(Duration::from_secs(10)).await;
    assert_eq!((again.done, again.never_started), (2, vec![]));
}

#[tokio::test(start_paused = true)]
async fn aborted_jobs_have_been_dropped_when_shutdown_returns() {
    let alive = Arc::new(());
    let pool = WorkerPool::new(3, 8, |held: Arc<()>| async move {
        pending::<()>().await;
        drop(held);
    });
    for _ in 0..3 {
        pool.submit(Arc::clone(&alive)).await.unwrap();
    }
    assert_eq!(pool.shutdown(SECOND).await.aborted, 3);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_of_zero_gives_everything_up_at_once() {
    let (pool, _) = sleepers(1, 8);
    for seconds in [7, 8] {
        pool.submit(seconds).await.unwrap();
    }
    let report = pool.shutdown(Duration::ZERO).await;
    assert_eq!((report.done, report.aborted + report.never_started.len()), (0, 2));
}

#[tokio::test]
async fn a_job_that_is_refused_after_shutdown_is_given_back() {
    let (pool, _) = sleepers(1, 1);
    pool.shutdown(SECOND).await;
    assert_eq!(pool.submit(7).await, Err(SubmitError::ShutDown(7)));
    assert_eq!(pool.try_submit(8), Err(SubmitError::ShutDown(8)));
    pool.join().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_waits_for_a_place_at_shutdown_is_given_back() {
    let (pool, _) = sleepers(1, 1);
    pool.submit(1).await.unwrap();
    let mut waiting = Box::pin(pool.submit(2));
    assert!(poll_immediate(&mut waiting).await.is_none());
    let report = pool.shutdown(HOUR).await;
    assert_eq!(waiting.await, Err(SubmitError::ShutDown(2)));
    assert_eq!(report.done, 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_is_dropped_goes_on_draining() {
    let (pool, seen) = sleepers(1, 8);
    for seconds in [3, 4] {
        pool.submit(seconds).await.unwrap();
    }
    assert!(timeout(SECOND, pool.shutdown(HOUR)).await.is_err());
    assert_eq!(pool.try_submit(1), Err(SubmitError::ShutDown(1)));
    assert_eq!(pool.shutdown(HOUR).await.done, 2);
    assert_eq!(*seen.lock().unwrap(), [3, 4]);
}

#[tokio::test]
async fn dropping_the_pool_leaves_no_task() {
    let runtime = tokio::runtime::Handle::current();
    let alive = runtime.metrics().num_alive_tasks();
    let pool = WorkerPool::new(3, 8, act);
    for _ in 0..6 {
        pool.submit(Act::Stay).await.unwrap();
    }
    yield_now().await;
    drop(pool);
    yield_now().await;
    assert_eq!(runtime.metrics().num_alive_tasks(), alive);
}

#[test]
fn a_pool_whose_runtime_is_gone_hangs_nobody() {
    let first = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let pool = first.block_on(async {
        let pool = WorkerPool::new(1, 8, act);
        for job in [Act::Stay, Act::End] {
            pool.submit(job).await.unwrap();
        }
        yield_now().await;
        pool
    });
    drop(first);
    let second = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    second.block_on(async {
        pool.join().await;
        assert!(matches!(pool.submit(Act::End).await, Err(SubmitError::ShutDown(_))));
        let report = pool.shutdown(HOUR).await;
        assert_eq!((report.aborted, report.never_started.len()), (1, 1));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_producers_on_two_threads_lose_nothing() {
    static SUM: AtomicUsize = AtomicUsize::new(0);
    let pool = Arc::new(WorkerPool::new(4, 3, |n: usize| async move {
        SUM.fetch_add(n, SeqCst);
        yield_now().await;
    }));
    let producers = (0..8).map(|_| {
        let pool = Arc::clone(&pool);
        async move {
            for n in 0..1000 {
                pool.submit(n).await.unwrap();
            }
        }
    });
    steadfast::gather(producers).await;
    pool.join().await;
    assert_eq!(SUM.load(SeqCst), 8 * 499_500);
    assert_eq!(pool.shutdown(HOUR).await.done, 8000);
}

#[tokio::test]
async fn jobs_that_are_ready_at_once_let_others_run() {
    let pool = WorkerPool::new(1, 1_000_000, |_: u32| async {});
    for n in 0..100_000 {
        pool.try_submit(n).unwrap();
    }
    yield_now().await;
    assert!(pool.queued() > 0, "the worker did not yield");
    pool.join().await;
}

#[test]
#[should_panic(expected = "at least one worker")]
fn no_workers_panics() {
    WorkerPool::new(0, 1, act);
}

#[test]
#[should_panic(expected = "at least one job")]
fn no_queue_panics() {
    WorkerPool::new(1, 0, act);
}

/// A panic whose payload panics when it is dropped.
fn explode() {
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            std::panic::panic_any(());
        }
    }
    std::panic::panic_any(Payload);
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_panics_in_drop_ends_no_worker() {
    let pool = WorkerPool::named("payload", 1, 10, |explodes: bool| async move {
        if explodes {
            explode();
        }
    });
    for explodes in [true, false, true, false] {
        pool.submit(explodes).await.unwrap();
    }
    pool.join().await;
    let report = pool.shutdown(Duration::ZERO).await;
    assert_eq!((report.done, report.panicked, report.never_started.len()), (2, 2, 0));
}

/// Nor is it the one who shuts down that has to do with a handler, or with a job that is aborted.
#[tokio::test(start_paused = true)]
async fn a_shutdown_survives_the_destructors_of_a_handler_and_a_job() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            explode();
        }
    }
    let of_handler = Bomb;
    let pool = WorkerPool::new(1, 10, move |()| {
        let _ = &of_handler;
        async {}
    });
    pool.submit(()).await.unwrap();
    assert_eq!(pool.shutdown(Duration::from_secs(1)).await.done, 1);

    let pool = WorkerPool::new(1, 10, |()| async {
        let _of_job = Bomb;
        pending::<()>().await;
    });
    pool.submit(()).await.unwrap();
    assert_eq!(pool.shutdown(Duration::from_secs(1)).await.aborted, 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_waits_for_its_own_pool_panics_and_says_so() {
    static POOL: OnceLock<WorkerPool<bool>> = OnceLock::new();
    record_reports();
    let pool = POOL.get_or_init(|| {
        WorkerPool::named("waits for itself", 1, 10, |joins| async move {
            let pool = POOL.get().unwrap();
            if joins {
                pool.join().await;
            } else {
                pool.shutdown(Duration::from_secs(1)).await;
            }
        })
    });
    pool.submit(true).await.unwrap();
    pool.submit(false).await.unwrap();
    pool.join().await;
    let reports = reports_of("waits for itself");
    for (what, (kind, text)) in ["join", "shutdown"].iter().zip(&reports) {
        assert_eq!(*kind, ReportKind::Panic);
        assert_eq!(
            *text,
            format!("a job of the `WorkerPool` `waits for itself` awaits `{what}` of its own pool: spawn a task for that")
        );
    }
    // It goes on, and whoever is no job of it may shut it down.
    let report = pool.shutdown(Duration::from_secs(1)).await;
    assert_eq!((report.panicked, reports.len()), (2, 2));
}
