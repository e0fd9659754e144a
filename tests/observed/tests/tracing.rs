//! Events, as a subscriber receives them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use std::time::Duration;

use steadfast::{CircuitBreaker, circuit_breaker, fallback, finally, rate_limit, retry, shield, timeout};
use tracing::subscriber::DefaultGuard;
use tracing::{Instrument, Level};

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
        text.contains("DEBUG steadfast: attempt failed; retrying function=\"charge\" module=\"tracing\" attempt=1 delay=10ms"),
        "{text}"
    );
    let line = "WARN steadfast: a call timed out function=\"charge\" module=\"tracing\" kind=\"timeout\" limit=1s suppressed=0";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("DEBUG steadfast: fallback used function=\"charge\" module=\"tracing\""), "{text}");
    assert!(!text.contains("4111") && !text.contains("4000"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn rejected_calls_are_told_once_a_second_in_lines_that_group() {
    static CLOSED: CircuitBreaker = CircuitBreaker::new().open_for(Duration::from_secs(3600));
    #[rate_limit(1 / 1d, handle = quota)]
    async fn limited() -> Result<(), steadfast::Error> {
        Ok(())
    }
    #[circuit_breaker(CLOSED)]
    #[rate_limit(1 / 1d)]
    async fn both() -> Result<(), steadfast::Error> {
        Ok(())
    }
    let (lines, _guard) = listen();
    limited().await.unwrap();
    for _ in 0..3 {
        for _ in 0..1_000 {
            assert!(limited().await.unwrap_err().is_rate_limited());
        }
        tokio::time::advance(Duration::from_millis(500)).await;
    }
    // Another function, and another kind of the same function, have lines of their own.
    both().await.unwrap();
    assert!(both().await.unwrap_err().is_rate_limited());
    CLOSED.force_open();
    assert!(both().await.unwrap_err().is_circuit_open());
    quota().reset();
    tokio::time::advance(Duration::from_secs(1)).await;
    limited().await.unwrap();
    assert!(limited().await.is_err());
    let text = "WARN steadfast: a call was rejected: the rate limit is reached";
    let fields = "kind=\"rate_limited\" limit=86400s count=1";
    let expected = [
        format!("{text} function=\"limited\" module=\"tracing\" {fields} retry_after=86400s suppressed=0"),
        format!("{text} function=\"limited\" module=\"tracing\" {fields} retry_after=86399s suppressed=1999"),
        format!("{text} function=\"both\" module=\"tracing\" {fields} retry_after=86400s suppressed=0"),
        "WARN steadfast: circuit forced open".to_owned(),
        "WARN steadfast: a call was rejected: the circuit is open function=\"both\" module=\"tracing\" kind=\"circuit_open\" suppressed=0"
            .to_owned(),
        format!("{text} function=\"limited\" module=\"tracing\" {fields} retry_after=86400s suppressed=999"),
    ];
    assert_eq!(lines.text().lines().map(str::trim).collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_mended_warns_of_nothing() {
    #[retry(attempts = 2, delay = 10ms, jitter = none)]
    #[timeout(1s)]
    async fn mended(hangs: &std::cell::Cell<u32>) -> Result<(), io::Error> {
        if hangs.replace(hangs.get().saturating_sub(1)) > 0 { std::future::pending().await } else { Ok(()) }
    }
    let (lines, guard) = listen();
    mended(&std::cell::Cell::new(1)).await.unwrap();
    let text = lines.text();
    assert!(text.contains("DEBUG steadfast: a call timed out function=\"mended\"") && !text.contains("WARN"), "{text}");
    drop(guard);
    // The last attempt is nothing that another mends.
    let (lines, _guard) = listen();
    assert!(mended(&std::cell::Cell::new(2)).await.is_err());
    let text = lines.text();
    assert_eq!(text.matches("WARN steadfast: a call timed out function=\"mended\"").count(), 1, "{text}");
    assert_eq!(text.matches("DEBUG steadfast: a call timed out function=\"mended\"").count(), 1, "{text}");
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
        "WARN steadfast: circuit opened function=\"fails\" module=\"tracing\"",
        "DEBUG steadfast: circuit half-open: probing function=\"works\" module=\"tracing\"",
        "WARN steadfast: circuit closed function=\"works\" module=\"tracing\"",
        "WARN steadfast: circuit forced open",
        "WARN steadfast: circuit reset",
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
    let told = "steadfast: attempt failed; retrying";
    let expected = [
        "WARN one_a_call: tracing: inside".to_owned(),
        format!("DEBUG one_a_call: {told} function=\"one_a_call\" module=\"tracing\" attempt=1 delay=0ns"),
        "WARN one_a_call: tracing: inside".to_owned(),
        "WARN one_an_attempt: tracing: inside".to_owned(),
        format!("DEBUG {told} function=\"one_an_attempt\" module=\"tracing\" attempt=1 delay=0ns"),
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

/// What the body of a function finds: the innermost span, and whether a task-local of its caller is set.
type Found = (Option<&'static str>, bool);

tokio::task_local! {
    static TENANT: u32;
}

fn found() -> Found {
    (tracing::Span::current().metadata().map(tracing::Metadata::name), TENANT.try_with(|_| ()).is_ok())
}

/// What the README says of spans and task-locals, of an attribute in either order with `#[instrument]`.
#[tokio::test]
async fn spans_and_task_locals_where_work_is_moved() {
    #[tracing::instrument]
    #[steadfast::timeout(1s)]
    async fn above_what_stays() -> io::Result<Found> {
        Ok(found())
    }
    #[steadfast::timeout(1s)]
    #[tracing::instrument]
    async fn below_what_stays() -> io::Result<Found> {
        Ok(found())
    }
    #[tracing::instrument]
    #[shield]
    async fn above_shield() -> Found {
        found()
    }
    #[shield]
    #[tracing::instrument]
    async fn below_shield() -> Found {
        found()
    }
    #[tracing::instrument]
    #[steadfast::async_cached(detached)]
    async fn above_detached() -> Found {
        found()
    }
    #[steadfast::async_cached(detached)]
    #[tracing::instrument]
    async fn below_detached() -> Found {
        found()
    }
    #[tracing::instrument]
    #[steadfast::batched(delay = 0s, or_else = |_| (None, true))]
    async fn above_batched(ids: Vec<u32>) -> Vec<Found> {
        ids.iter().map(|_| found()).collect()
    }
    #[steadfast::batched(delay = 0s, or_else = |_| (None, true))]
    #[tracing::instrument]
    async fn below_batched(ids: Vec<u32>) -> Vec<Found> {
        ids.iter().map(|_| found()).collect()
    }
    #[tracing::instrument]
    #[steadfast::offload_blocking]
    fn above_job() -> Found {
        found()
    }
    #[steadfast::offload_blocking]
    #[tracing::instrument]
    fn below_job() -> Found {
        found()
    }
    // Jobs run on threads of their own.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    let outer = tracing::info_span!("outer");
    let all = async {
        assert_eq!(above_what_stays().await.unwrap(), (Some("above_what_stays"), true));
        assert_eq!(below_what_stays().await.unwrap(), (Some("below_what_stays"), true));
        assert_eq!((above_shield().await, below_shield().await), ((Some("above_shield"), false), (None, false)));
        assert_eq!((above_detached().await, below_detached().await), ((Some("above_detached"), false), (None, false)));
        assert_eq!((above_batched(1).await, below_batched(1).await), ((Some("above_batched"), false), (None, false)));
        assert_eq!((above_job().await, below_job().await), ((Some("above_job"), false), (None, false)));
    };
    TENANT.scope(1, all.instrument(outer)).await;
}
