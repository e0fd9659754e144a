//! `#[warn_slow_poll]`: a blocked thread, and one that is not. It reads the real clock, and so do these tests.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::Cell;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, Once};
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use steadfast::testing::cancel_at_every_await;
use steadfast::{Report, ReportKind, async_cached, on_report, retry, timeout, warn_slow_poll};
use tokio::task::yield_now;
use tokio::time::sleep;

const LONG: Duration = Duration::from_millis(30);

/// What was reported of a function. Each test has functions with names of their own.
fn reports(function: &str) -> Vec<Report> {
    static REPORTS: Mutex<Vec<Report>> = Mutex::new(Vec::new());
    static ONCE: Once = Once::new();
    ONCE.call_once(|| on_report(|report| REPORTS.lock().unwrap().push(report.clone())));
    REPORTS.lock().unwrap().iter().filter(|report| report.name() == function).cloned().collect()
}

#[tokio::test]
async fn a_thread_that_is_held_is_reported_once() {
    #[warn_slow_poll(10ms)]
    async fn holds(times: u32) -> u32 {
        for _ in 0..times {
            yield_now().await;
            thread::sleep(LONG);
        }
        times
    }
    reports("holds");
    assert_eq!(holds(2).await, 2);
    let found = reports("holds");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].kind(), ReportKind::Blocked);
    let text = found[0].to_string();
    assert!(text.starts_with("`holds` blocked its thread for "), "{text}");
    assert!(text.ends_with(" in a single poll (threshold 10ms)"), "{text}");

    // Once for each call.
    holds(1).await;
    assert_eq!(reports("holds").len(), 2);
}

#[tokio::test]
async fn a_wait_is_no_hold() {
    // The limit is far from what a poll takes also on a busy machine, and the wait is as far above it.
    #[warn_slow_poll(200ms)]
    async fn waits() {
        sleep(Duration::from_millis(600)).await;
    }
    #[warn_slow_poll(10ms)]
    async fn sleeps() {
        sleep(LONG).await;
    }
    reports("waits");
    waits().await;
    assert_eq!(reports("waits"), []);
    // A single disturbance by the machine must not fail the test: the wait itself would be found in each of them.
    for _ in 0..5 {
        sleeps().await;
    }
    assert!(reports("sleeps").len() < 5, "{:?}", reports("sleeps"));
}

#[tokio::test(start_paused = true)]
async fn time_is_the_threads_and_not_the_paused_clocks() {
    #[warn_slow_poll(500ms)]
    async fn paused() {
        sleep(Duration::from_secs(3_600)).await;
    }
    #[warn_slow_poll(10ms)]
    async fn held_while_paused() {
        thread::sleep(LONG);
    }
    reports("paused");
    paused().await;
    held_while_paused().await;
    assert_eq!((reports("paused").len(), reports("held_while_paused").len()), (0, 1));
}

#[tokio::test]
async fn everything_below_is_one_call() {
    #[warn_slow_poll(limit)]
    #[async_cached]
    #[timeout(5s)]
    #[retry(attempts = 3, delay = 0s)]
    async fn stacked(limit: Duration) -> io::Result<u32> {
        thread::sleep(LONG);
        Err(io::Error::other("again"))
    }
    reports("stacked");
    stacked(Duration::from_millis(10)).await.unwrap_err();
    assert_eq!(reports("stacked").len(), 1);
    stacked(Duration::from_secs(10)).await.unwrap_err();
    assert_eq!(reports("stacked").len(), 1);
}

#[tokio::test]
async fn below_a_retry_each_attempt_is_a_call() {
    #[retry(attempts = 3, delay = 0s)]
    #[warn_slow_poll(10ms)]
    async fn attempted() -> Option<u32> {
        thread::sleep(LONG);
        None
    }
    reports("attempted");
    assert_eq!(attempted().await, None);
    assert_eq!(reports("attempted").len(), 3);
}

#[warn_slow_poll(10ms, panic)]
async fn strict() {
    thread::sleep(LONG);
}

#[tokio::test]
#[should_panic(expected = "`strict` blocked its thread for")]
async fn it_may_panic_instead() {
    strict().await;
}

#[tokio::test]
#[should_panic(expected = "with this payload")]
async fn a_panic_of_the_body_is_the_one_that_is_seen() {
    #[warn_slow_poll(10ms, panic)]
    async fn panics() {
        thread::sleep(LONG);
        panic!("with this payload")
    }
    panics().await;
}

/// Without a runtime there is neither a clock nor a timer: whoever touches one panics.
#[tokio::test]
async fn a_slow_poll_that_panics_is_reported() {
    #[warn_slow_poll(1ms)]
    async fn reported() {
        thread::sleep(Duration::from_millis(5));
        panic!("of its own");
    }
    #[warn_slow_poll(1ms, panic)]
    async fn strictly() {
        thread::sleep(Duration::from_millis(5));
        panic!("of its own");
    }
    #[warn_slow_poll(1h)]
    async fn quick() {
        panic!("of its own");
    }
    reports("reported");
    for panicked in [
        AssertUnwindSafe(reported()).catch_unwind().await,
        AssertUnwindSafe(strictly()).catch_unwind().await,
        AssertUnwindSafe(quick()).catch_unwind().await,
    ] {
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"of its own"));
    }
    assert_eq!(["reported", "strictly", "quick"].map(|function| reports(function).len()), [1, 1, 0]);
}

#[test]
fn it_needs_no_runtime() {
    #[warn_slow_poll(10s)]
    async fn anywhere(n: u8) -> u8 {
        n
    }
    assert_eq!(futures::executor::block_on(anywhere(3)), 3);
}

#[tokio::test(start_paused = true)]
async fn a_cut_is_a_cut_of_the_body() {
    struct Open<'a>(&'a Cell<u32>);
    impl Drop for Open<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }
    #[warn_slow_poll(10s)]
    async fn counted(open: &Cell<u32>) {
        open.set(open.get() + 1);
        let _open = Open(open);
        sleep(LONG).await;
        yield_now().await;
    }
    let awaits = cancel_at_every_await(
        async || Cell::new(0),
        async |open| counted(open).await,
        async |open: &Cell<u32>| assert_eq!(open.get(), 0),
    )
    .await;
    assert_eq!(awaits, 2);
}
