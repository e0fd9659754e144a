//! `#[timeout]`: deadlines, what they drop, and which errors they become.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::RefCell;
use std::future::pending;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use futures::future::poll_immediate;
use steadfast::{ErrorKind, timeout};
use tokio::time::{Instant, sleep};

#[timeout(100ms)]
async fn wait(time: Duration) -> io::Result<u8> {
    sleep(time).await;
    Ok(7)
}

#[tokio::test(start_paused = true)]
async fn in_time_and_too_late() {
    let started = Instant::now();
    assert_eq!(wait(Duration::from_millis(99)).await.unwrap(), 7);
    assert_eq!(started.elapsed(), Duration::from_millis(99));
    let started = Instant::now();
    assert_eq!(wait(Duration::from_secs(1)).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(started.elapsed(), Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn the_error_says_what_happened() {
    let error = wait(Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "`wait` timed out after 100ms");
    let error = error.downcast::<steadfast::Error>().unwrap();
    assert_eq!((error.kind(), error.function(), error.limit()), (ErrorKind::Timeout, "wait", Some(Duration::from_millis(100))));
    assert!(error.is_timeout() && !error.is_recursion() && error.retry_after().is_none());
}

#[tokio::test(start_paused = true)]
async fn every_way_to_carry_it() {
    #[timeout(1s)]
    async fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        pending().await
    }
    #[timeout(1s)]
    async fn any() -> anyhow::Result<()> {
        pending().await
    }
    #[timeout(1s)]
    async fn own() -> Result<(), steadfast::Error> {
        pending().await
    }
    #[timeout(1s)]
    async fn option() -> Option<u8> {
        pending().await
    }
    #[timeout(1s, or_else = |error| error.to_string())]
    async fn plain() -> String {
        pending().await
    }
    #[timeout(1s, or_else = |_| format!("{name} is late"))]
    async fn naming(name: String) -> String {
        pending::<()>().await;
        name.clone()
    }
    assert!(boxed().await.unwrap_err().downcast::<steadfast::Error>().unwrap().is_timeout());
    assert!(any().await.unwrap_err().downcast::<steadfast::Error>().unwrap().is_timeout());
    assert!(own().await.unwrap_err().is_timeout());
    assert_eq!(option().await, None);
    assert_eq!(plain().await, "`plain` timed out after 1s");
    assert_eq!(naming("x".to_owned()).await, "x is late");
}

#[tokio::test(start_paused = true)]
async fn the_duration_is_any_expression() {
    struct Client {
        patience: Duration,
    }
    impl Client {
        #[timeout(self.patience * factor)]
        async fn call(&self, factor: u32) -> Option<()> {
            pending().await
        }
    }
    #[timeout(2.5s)]
    async fn fraction() -> Option<()> {
        pending().await
    }
    let client = Client { patience: Duration::from_millis(10) };
    let started = Instant::now();
    client.call(5).await;
    assert_eq!(started.elapsed(), Duration::from_millis(50));
    fraction().await;
    assert_eq!(started.elapsed(), Duration::from_millis(2_550));
}

#[tokio::test(start_paused = true)]
async fn huge_durations_never_end() {
    #[timeout(Duration::MAX)]
    async fn forever() -> Option<()> {
        sleep(Duration::from_secs(1_000_000)).await;
        Some(())
    }
    assert_eq!(forever().await, Some(()));
}

/// Without a runtime there is neither a clock nor a timer: whoever touches one panics.
#[test]
fn a_body_that_does_not_wait_touches_no_timer() {
    #[timeout(1s)]
    async fn ready(n: u8) -> Option<u8> {
        Some(n)
    }
    #[timeout(0s)]
    async fn at_once() -> Option<u8> {
        Some(1)
    }
    assert_eq!(futures::executor::block_on(ready(3)), Some(3));
    assert_eq!(futures::executor::block_on(at_once()), Some(1));
}

#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<&'static str>>>);

impl Log {
    fn say(&self, what: &'static str) {
        self.0.borrow_mut().push(what);
    }

    fn guard(&self, what: &'static str) -> Guard {
        Guard(self.clone(), what)
    }
}

struct Guard(Log, &'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

#[timeout(1s, or_else = |_| log.say("or_else"))]
async fn logging(log: &Log) {
    let _guard = log.guard("dropped");
    pending::<()>().await;
}

#[tokio::test(start_paused = true)]
async fn the_body_is_dropped_before_or_else_runs() {
    let log = Log::default();
    logging(&log).await;
    assert_eq!(*log.0.borrow(), ["dropped", "or_else"]);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_call_drops_the_body() {
    let log = Log::default();
    let mut call = Box::pin(logging(&log));
    assert!(poll_immediate(&mut call).await.is_none());
    drop(call);
    assert_eq!(*log.0.borrow(), ["dropped"]);
}

/// The README says so: the clock starts when the body first waits.
#[tokio::test]
async fn computing_before_the_first_wait_does_not_count() {
    #[timeout(50ms)]
    async fn computes_then_sleeps() -> Option<()> {
        std::thread::sleep(Duration::from_millis(100)); // stands for work that keeps the thread
        sleep(Duration::from_millis(20)).await;
        Some(())
    }
    assert_eq!(computes_then_sleeps().await, Some(()));
}

#[tokio::test(start_paused = true)]
async fn the_shorter_of_several_wins() {
    #[timeout(1s)]
    #[timeout(300ms)]
    #[timeout(2s)]
    async fn three() -> Result<(), steadfast::Error> {
        pending().await
    }
    let started = Instant::now();
    assert_eq!(three().await.unwrap_err().limit(), Some(Duration::from_millis(300)));
    assert_eq!(started.elapsed(), Duration::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_uses_up_its_budget_still_times_out() {
    #[timeout(1s)]
    async fn busy() -> Option<()> {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        loop {
            sender.send(()).ok()?;
            receiver.recv().await?;
            // Time passes only as far as the test lets it.
            if tokio::task::coop::has_budget_remaining() {
                continue;
            }
            tokio::time::advance(Duration::from_millis(10)).await;
        }
    }
    assert_eq!(busy().await, None);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "with this payload")]
async fn a_panic_reaches_the_caller() {
    #[timeout(1s)]
    async fn panics() -> Option<()> {
        sleep(Duration::from_millis(1)).await;
        panic!("with this payload")
    }
    panics().await;
}

#[tokio::test(start_paused = true)]
async fn futures_of_functions_that_are_send_are_send() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    #[timeout(1s)]
    async fn cell(cell: std::cell::Cell<u8>) -> Option<u8> {
        sleep(Duration::from_millis(1)).await;
        cell.set(cell.get() + 1);
        Some(cell.get())
    }
    assert_eq!(send(cell(std::cell::Cell::new(1))).await, Some(2));
}
