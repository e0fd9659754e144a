//! Figures, as a recorder sees them.

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use steadfast::{CircuitBreaker, async_cached, circuit_breaker, retry, timeout};

/// Name and labels, and the value.
fn figures(snapshotter: &Snapshotter) -> BTreeMap<String, DebugValue> {
    let figures = snapshotter.snapshot().into_vec().into_iter().map(|(key, _, _, value)| {
        let (_, key) = key.into_parts();
        let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        (format!("{}{{{}}}", key.name(), labels.join(",")), value)
    });
    figures.collect()
}

// One test: there is one recorder in a process.
#[tokio::test(start_paused = true)]
async fn figures_of_everything() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    steadfast::metrics::publish();

    #[async_cached]
    async fn cached(n: u32) -> Option<u32> {
        (n > 0).then_some(n)
    }
    #[timeout(1s)]
    #[retry(attempts = 3, delay = 10ms, jitter = none)]
    async fn stubborn(ends: bool) -> Result<(), std::io::Error> {
        if ends { Err(std::io::Error::other("again")) } else { std::future::pending().await }
    }
    static BREAKER: CircuitBreaker = CircuitBreaker::new().failures(1);
    #[circuit_breaker(BREAKER)]
    async fn broken() -> Option<()> {
        None
    }
    for n in [1, 1, 0] {
        cached(n).await;
    }
    assert!(stubborn(true).await.is_err());
    assert!(stubborn(false).await.is_err());
    for _ in 0..3 {
        broken().await;
    }
    steadfast::metrics::publish();
    let figures = figures(&snapshotter);
    let counter = |name: &str| match figures.get(name) {
        Some(DebugValue::Counter(count)) => *count,
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(counter("steadfast_calls_total{function=cached,outcome=ok}"), 2);
    assert_eq!(counter("steadfast_calls_total{function=cached,outcome=error}"), 1);
    assert_eq!(counter("steadfast_cache_requests_total{function=cached,result=hit}"), 1);
    assert_eq!(counter("steadfast_cache_requests_total{function=cached,result=miss}"), 2);
    assert_eq!(counter("steadfast_retries_total{function=stubborn}"), 2);
    assert_eq!(counter("steadfast_refusals_total{function=stubborn,kind=timeout}"), 1);
    assert_eq!(counter("steadfast_refusals_total{function=broken,kind=circuit_open}"), 2);
    let state = figures.get("steadfast_circuit_state{function=broken}");
    assert!(matches!(state, Some(DebugValue::Gauge(state)) if state.into_inner().to_bits() == 2.0_f64.to_bits()), "{state:?}");
    let durations = figures.get("steadfast_call_duration_seconds{function=stubborn}");
    assert!(matches!(durations, Some(DebugValue::Histogram(durations)) if durations.len() == 2), "{durations:?}");
    let waits = figures.get("steadfast_retry_wait_seconds{function=stubborn}");
    assert!(matches!(waits, Some(DebugValue::Histogram(waits)) if waits.len() == 2), "{waits:?}");
}
