//! Events, as a subscriber sees them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use std::time::Duration;

use steadfast::{CircuitBreaker, circuit_breaker, fallback, finally, retry, shield, timeout};
use tracing::{Instrument, Level};
use tracing::subscriber::DefaultGuard;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// What is told on this thread, as text.
fn listen() -> (Lines, DefaultGuard) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .without_time()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

#[tokio::test(start_paused = true)]
async fn refusals_and_retries_are_told_with_the_functions_name_and_never_the_arguments() {
    #[fallback(())]
    #[timeout(1s)]
    #[retry(attempts = 2, delay = 10ms, jitter = none)]
    async fn charge(card: &str) -> Result<(), io::Error> {
        if card.len() > 5 { Err(io::Error::other("declined")) } else { std::future::pending().await }
    }
    let (lines, _guard) = listen();
    assert!(charge("4111-1111").await.is_ok());
    assert!(charge("4000").await.is_ok());
    let text = lines.text();
    assert!(
        text.contains("DEBUG steadfast: an attempt failed, and another follows function=\"charge\" attempt=1 delay=10ms"),
        "{text}"
    );
    assert!(text.contains("WARN steadfast: `charge` timed out after 1s function=\"charge\" kind=\"timeout\""), "{text}");
    assert!(text.contains("DEBUG steadfast: a fallback stands in for a failure function=\"charge\""), "{text}");
    assert!(!text.contains("4111") && !text.contains("4000"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_transitions_of_a_circuit_are_told_with_the_function_that_caused_them() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().failures(1).open_for(Duration::from_secs(1));
    #[circuit_breaker(BREAKER)]
    async fn fails() -> Option<()> {
        None
    }
    #[circuit_breaker(BREAKER)]
    async fn works() -> Option<()> {
        Some(())
    }
    let (lines, _guard) = listen();
    fails().await;
    tokio::time::advance(Duration::from_secs(1)).await;
    works().await;
    BREAKER.force_open();
    BREAKER.reset();
    let expected = [
        "WARN steadfast: the circuit opens function=\"fails\"",
        "DEBUG steadfast: the circuit is tried function=\"works\"",
        "WARN steadfast: the circuit is closed again function=\"works\"",
        "WARN steadfast: a circuit is forced open",
        "WARN steadfast: a circuit is reset",
    ];
    assert_eq!(lines.text().lines().map(str::trim).collect::<Vec<_>>(), expected);
}

/// A subscriber that looks at what it is told about.
#[tokio::test(start_paused = true)]
async fn a_subscriber_may_ask_the_breaker_about_its_state() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().failures(1);
    struct Asks;
    impl Write for Asks {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            assert_eq!(BREAKER.state(), steadfast::CircuitState::Open);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    #[circuit_breaker(BREAKER)]
    async fn fails() -> Option<()> {
        None
    }
    let _guard = tracing::subscriber::set_default(tracing_subscriber::fmt().with_writer(|| Asks).finish());
    fails().await;
}

/// We make none ourselves: `#[instrument]` is how a user asks for one. Below ours it is around the whole call, above them around each
/// attempt, since an attribute that stands above expands first.
#[tokio::test(start_paused = true)]
async fn spans_are_those_that_are_asked_for() {
    #[retry(attempts = 2, delay = 0s)]
    #[tracing::instrument(skip_all)]
    async fn one_a_call(n: &u32) -> Option<u32> {
        tracing::warn!("inside");
        Some(*n).filter(|n| *n > 1)
    }
    #[tracing::instrument(skip_all)]
    #[retry(attempts = 2, delay = 0s)]
    async fn one_an_attempt(n: &u32) -> Option<u32> {
        tracing::warn!("inside");
        Some(*n).filter(|n| *n > 1)
    }
    let (lines, _guard) = listen();
    one_a_call(&1).await;
    one_an_attempt(&1).await;
    let told = "steadfast: an attempt failed, and another follows";
    let expected = [
        "WARN one_a_call: tracing: inside".to_owned(),
        format!("DEBUG one_a_call: {told} function=\"one_a_call\" attempt=1 delay=0ns"),
        "WARN one_a_call: tracing: inside".to_owned(),
        "WARN one_an_attempt: tracing: inside".to_owned(),
        format!("DEBUG {told} function=\"one_an_attempt\" attempt=1 delay=0ns"),
        "WARN one_an_attempt: tracing: inside".to_owned(),
    ];
    assert_eq!(lines.text().lines().map(str::trim).collect::<Vec<_>>(), expected);
}

/// Work on a task of its own is not within the caller's span, nor where its task-locals are set.
#[tokio::test(start_paused = true)]
async fn spans_and_task_locals_do_not_follow_to_another_task() {
    tokio::task_local! { static TENANT: u32; }
    fn seen(place: &str) {
        assert!(TENANT.try_with(|_| ()).is_err());
        tracing::warn!("{place}");
    }
    async fn cleanup() {
        seen("cleanup");
    }
    #[shield]
    #[tracing::instrument]
    async fn span_below() {
        seen("body");
    }
    #[tracing::instrument]
    #[shield]
    async fn span_above() {
        seen("body");
    }
    #[tracing::instrument]
    #[finally(cleanup())]
    async fn cleaned() {}
    let (lines, _guard) = listen();
    let calls = async {
        span_below().await;
        span_above().await;
        cleaned().await;
        steadfast::spawn_logged("logged", async { seen("logged") });
        steadfast::drain(Duration::from_secs(1)).await;
    };
    TENANT.scope(7, calls.instrument(tracing::warn_span!("caller"))).await;
    let expected = ["WARN tracing: body", "WARN span_above: tracing: body", "WARN tracing: cleanup", "WARN tracing: logged"];
    assert_eq!(lines.text().lines().map(str::trim).collect::<Vec<_>>(), expected);
}
