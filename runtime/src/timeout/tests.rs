//! Many deadlines with one timer.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use futures::future::join_all;
use futures::poll;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, yield_now};

use super::*;

const MS: Duration = Duration::from_millis(1);

/// The deadlines of a function in a test.
fn deadlines() -> &'static SharedTimers {
    Box::leak(Box::new(SharedTimers::new()))
}

/// Whether `future` completed before the deadline.
async fn limited(limit: Duration, deadlines: &'static SharedTimers, future: impl Future) -> bool {
    within(&mut Deadline::new(limit, deadlines), future).await.is_ok()
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

fn running() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_at_its_own_time_whoever_leaves_before() {
    let (deadlines, started) = (deadlines(), Instant::now());
    let call = async |index: u32| {
        tokio::time::sleep(index * MS).await;
        let begun = Instant::now();
        // Every third call completes early.
        let work = tokio::time::sleep(if index.is_multiple_of(3) { (index % 90) * MS } else { Duration::MAX });
        let in_time = limited(100 * MS, deadlines, work).await;
        assert_eq!(in_time, index.is_multiple_of(3), "{index}");
        if !in_time {
            assert_eq!(begun.elapsed(), 100 * MS, "{index}");
        }
    };
    join_all((0..1_000).map(call)).await;
    assert_eq!(started.elapsed(), 1_098 * MS);
}

#[tokio::test(start_paused = true)]
async fn shorter_ones_that_come_later_do_not_wait_for_longer_ones() {
    let deadlines = deadlines();
    let call = async |limit: u32| {
        let begun = Instant::now();
        assert!(!limited(limit * MS, deadlines, pending::<()>()).await);
        assert_eq!(begun.elapsed(), limit * MS);
    };
    join_all([50, 70, 20, 0, 90, 20, 1].map(call)).await;
    // The timer is still set for a later deadline that was removed.
    assert!(limited(80 * MS, deadlines, yield_now()).await);
    call(10).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_polled_again_holds_nobody_up() {
    let deadlines = deadlines();
    let mut first = Box::pin(limited(10 * MS, deadlines, pending::<()>()));
    assert!(poll!(&mut first).is_pending());
    let second = tokio::spawn(limited(20 * MS, deadlines, pending::<()>()));
    assert!(!second.await.unwrap());
    assert_eq!(poll!(first), Poll::Ready(false));
}

#[tokio::test(start_paused = true)]
async fn whoever_polled_last_is_woken() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let counts = [Arc::new(Count(AtomicUsize::new(0))), Arc::new(Count(AtomicUsize::new(0)))];
    let mut call = Box::pin(limited(10 * MS, deadlines(), pending::<()>()));
    for count in &counts {
        let waker = count.clone().into();
        assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    tokio::time::sleep(11 * MS).await;
    assert_eq!(counts.each_ref().map(|count| count.0.load(Ordering::Relaxed)), [0, 1]);
    assert_eq!(poll!(&mut call), Poll::Ready(false));
    drop(call);
    assert_eq!(counts.map(|count| Arc::strong_count(&count)), [1, 1], "no waker is kept");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_that_moves_a_paused_clock() {
    assert!(limited(1_000 * MS, deadlines(), yield_now()).await);
    let started = Instant::now();
    let (sender, receiver) = oneshot::channel();
    // Real time, during which the paused runtime has nothing to do but advance to the next timer.
    let thread = std::thread::spawn(move || {
        std::thread::sleep(20 * MS);
        sender.send(()).unwrap();
    });
    receiver.await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
    thread.join().unwrap();
}

#[test]
fn runtimes_share_a_function() {
    let deadlines = deadlines();
    let (one, two) = (paused(), paused());
    let mut held = Box::pin(limited(10 * MS, deadlines, pending::<()>()));
    one.block_on(async { assert!(poll!(&mut held).is_pending()) });
    // The queue belongs to the first runtime.
    two.block_on(async {
        let begun = Instant::now();
        assert!(!limited(5 * MS, deadlines, pending::<()>()).await);
        assert_eq!(begun.elapsed(), 5 * MS);
    });
    one.block_on(async { assert!(!held.as_mut().await) });
    two.block_on(async { assert!(!limited(5 * MS, deadlines, pending::<()>()).await) });
}

#[test]
fn a_runtime_that_has_gone_is_let_go() {
    let deadlines = deadlines();
    for round in 0..3 {
        let kept = Arc::new(());
        let clone = Arc::clone(&kept);
        let mut builder = if round == 1 { Builder::new_multi_thread() } else { Builder::new_current_thread() };
        let runtime = builder.enable_time().on_thread_park(move || drop(Arc::clone(&clone))).build().unwrap();
        // The first runtime leaves its timer behind; the second is one for which that timer would fire too late.
        runtime.block_on(async {
            assert!(limited(3_600_000 * MS, deadlines, yield_now()).await);
            assert!(!limited(MS, deadlines, pending::<()>()).await);
            assert!(limited(3_600_000 * MS, deadlines, yield_now()).await);
        });
        drop(runtime);
        drop(builder);
        assert_eq!(Arc::strong_count(&kept), 1, "round {round}");
    }
}

#[test]
fn those_that_wait_outlive_their_runtime() {
    let deadlines = deadlines();
    let runtime = running();
    let mut held = Box::pin(limited(MS, deadlines, pending::<()>()));
    runtime.block_on(async { assert!(poll!(&mut held).is_pending()) });
    drop(runtime);
    running().block_on(async { assert!(!held.await) });
    running().block_on(async { assert!(!limited(MS, deadlines, pending::<()>()).await) });
}

#[test]
fn a_runtime_without_timers_panics_and_nothing_hangs_afterwards() {
    let deadlines = deadlines();
    let timerless = Builder::new_current_thread().build().unwrap();
    let call = || timerless.block_on(limited(MS, deadlines, pending::<()>()));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err());
    running().block_on(async { assert!(!limited(MS, deadlines, pending::<()>()).await) });
}

#[test]
fn threads_come_and_go() {
    let deadlines = deadlines();
    let runtime = Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    runtime.block_on(async {
        let mut calls = JoinSet::new();
        for index in 0..4_000_u32 {
            calls.spawn(async move {
                let mut rounds = index % 7;
                // Moves between threads and is woken without need.
                let work = poll_fn(move |cx| {
                    if rounds == 6 {
                        return Poll::Pending;
                    }
                    rounds = rounds.saturating_sub(1);
                    cx.waker().wake_by_ref();
                    if rounds == 0 { Poll::Ready(()) } else { Poll::Pending }
                });
                let hangs = rounds == 6;
                let limit = if hangs { (1 + index % 5) * MS } else { 3_600_000 * MS };
                assert_eq!(limited(limit, deadlines, work).await, !hangs, "{index}");
            });
        }
        while let Some(call) = calls.join_next().await {
            call.unwrap();
        }
    });
}
