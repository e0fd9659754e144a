//! Metrics, as a recorder receives them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use steadfast::{
    CircuitBreaker, ConcurrencyLimiter, Keyed, RateLimiter, async_cached, circuit_breaker, concurrency_limit, fallback, hedge,
    rate_limit, retry, timeout,
};

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
    #[fallback(())]
    #[concurrency_limit(1, max_wait = 5s)]
    #[rate_limit(1 / 1s, max_wait = 5s)]
    #[hedge(after = 10ms)]
    async fn limited() -> Result<(), steadfast::Error> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(std::future::pending::<steadfast::Error>().await)
    }
    for n in [1, 1, 0] {
        cached(n).await;
    }
    assert!(stubborn(true).await.is_err());
    assert!(stubborn(false).await.is_err());
    BREAKER.reset();
    for _ in 0..3 {
        broken().await;
    }
    // By hand, one of each waits.
    let (rate, limit) = (RateLimiter::new(1, Duration::from_secs(1)), ConcurrencyLimiter::new(1));
    rate.acquire().await;
    rate.key("a").acquire().await;
    rate.key("a").acquire().await;
    let permit = limit.acquire().await;
    assert!(limit.acquire_within(Duration::from_secs(1)).await.is_err());
    drop(permit);
    // One runs and hangs, one waits for it; both have been cut short by somebody else in the end.
    let both = async { tokio::join!(limited(), limited()) };
    assert!(tokio::time::timeout(Duration::from_secs(20), both).await.is_err());
    steadfast::metrics::publish();
    let figures = figures(&snapshotter);
    let counter = |name: &str| count(&figures, name);
    assert_eq!(counter("steadfast_calls_total{function=cached,module=metrics,outcome=ok}"), 2);
    assert_eq!(counter("steadfast_calls_total{function=cached,module=metrics,outcome=error}"), 1);
    assert_eq!(counter("steadfast_cache_requests_total{function=cached,module=metrics,name=,result=hit}"), 1);
    assert_eq!(counter("steadfast_cache_requests_total{function=cached,module=metrics,name=,result=miss}"), 2);
    assert_eq!(counter("steadfast_retries_total{function=stubborn,module=metrics}"), 2);
    assert_eq!(counter("steadfast_rejections_total{function=stubborn,module=metrics,kind=timeout}"), 1);
    assert_eq!(counter("steadfast_rejections_total{function=broken,module=metrics,kind=circuit_open}"), 2);
    let state = figures.get("steadfast_circuit_state{function=broken,module=metrics,name=}");
    assert!(matches!(state, Some(DebugValue::Gauge(state)) if state.into_inner().to_bits() == 2.0_f64.to_bits()), "{state:?}");
    let durations = figures.get("steadfast_call_duration_seconds{function=stubborn,module=metrics}");
    assert!(matches!(durations, Some(DebugValue::Histogram(durations)) if durations.len() == 2), "{durations:?}");
    let waits = figures.get("steadfast_retry_wait_seconds{function=stubborn,module=metrics}");
    assert!(matches!(waits, Some(DebugValue::Histogram(waits)) if waits.len() == 2), "{waits:?}");
    assert_eq!(counter("steadfast_hedges_total{function=limited,module=metrics}"), 1);
    assert_eq!(counter("steadfast_fallbacks_total{function=limited,module=metrics}"), 1);
    assert_eq!(counter("steadfast_circuit_transitions_total{function=broken,module=metrics,to=open}"), 1);
    assert_eq!(counter("steadfast_circuit_transitions_total{function=,module=,to=closed}"), 1);
    let waits = figures.get("steadfast_limit_wait_seconds{function=limited,module=metrics,limit=concurrency}");
    assert!(matches!(waits, Some(DebugValue::Histogram(waits)) if waits.len() == 1), "{waits:?}");

    for (function, limit) in [("rate_limit", "rate"), ("concurrency_limit", "concurrency")] {
        let waits = figures.get(&format!("steadfast_limit_wait_seconds{{function={function},module=,limit={limit}}}"));
        assert!(matches!(waits, Some(DebugValue::Histogram(waits)) if waits.len() == 1), "{waits:?}");
    }

    check_table(&figures);
    // Two methods of one name, and loads that came to no end.
    let (dog, cat) = (Dog, Cat);
    assert_eq!((dog.speak(1).await, cat.speak(1).await, cat.speak(2).await), (Some(1), Some(2), Some(4)));
    let hanging = dog.speak(0);
    assert!(tokio::time::timeout(Duration::from_secs(1), hanging).await.is_err());
    steadfast::metrics::publish();
    let figures = self::figures(&snapshotter);
    let counter = |name: &str| count(&figures, name);
    assert_eq!(counter("steadfast_calls_total{function=speak,module=metrics,outcome=ok}"), 3);
    assert_eq!(counter("steadfast_calls_total{function=speak,module=metrics,outcome=cancelled}"), 1);
    assert_eq!(counter("steadfast_cache_loads_total{function=speak,module=metrics,name=,result=ok}"), 3);
}

fn count(figures: &BTreeMap<String, DebugValue>, name: &str) -> u64 {
    match figures.get(name) {
        Some(DebugValue::Counter(count)) => *count,
        other => panic!("{name}: {other:?}"),
    }
}

struct Dog;

impl Dog {
    #[async_cached(skip(self))]
    async fn speak(&self, times: u32) -> Option<u32> {
        if times == 0 { std::future::pending().await } else { Some(times) }
    }
}

struct Cat;

impl Cat {
    #[async_cached(skip(self))]
    async fn speak(&self, times: u32) -> Option<u32> {
        Some(2 * times)
    }
}

fn check_table(figures: &BTreeMap<String, DebugValue>) {
    let recorded: BTreeSet<Figure> = figures.keys().map(String::as_str).map(Figure::recorded).collect();
    let documented: BTreeSet<Figure> =
        include_str!("../../../runtime/src/metrics/mod.rs").lines().filter_map(Figure::documented).collect();
    assert_eq!(recorded, documented, "what is recorded, and the table in the documentation");
}

/// A name, and the names of its labels.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Figure(String, BTreeSet<String>);

impl Figure {
    /// `name{label=value,..}`
    fn recorded(key: &str) -> Self {
        let (name, labels) = key.strip_suffix('}').unwrap().split_once('{').unwrap();
        Self(name.to_owned(), labels.split(',').map(|label| label.split_once('=').unwrap().0.to_owned()).collect())
    }

    /// A row of the table. Labels stand in front of their values: `` `function`, `outcome` = `ok`, `error` ``.
    fn documented(line: &str) -> Option<Self> {
        let row = line.strip_prefix("//! | `steadfast_")?;
        let mut cells = row.split(" | ");
        let name = format!("steadfast_{}", cells.next()?.trim_end_matches('`'));
        let labels = cells.nth(1)?;
        let (plain, valued) = labels.split_once(" = ").unwrap_or((labels, ""));
        assert!(valued.is_empty() || valued.starts_with('`'), "{line}");
        Some(Self(name, plain.split(", ").map(|label| label.trim_matches('`').to_owned()).collect()))
    }
}

mod other {
    /// A namesake of one in the module above.
    #[steadfast::async_cached(cache = super::SHARED)]
    pub(crate) async fn namesake(n: u32) -> Option<u32> {
        Some(n)
    }
}

static SHARED: steadfast::Cache<u32, u32> = steadfast::Cache::new(10);

#[async_cached(cache = SHARED)]
#[concurrency_limit(LIMIT)]
async fn namesake(n: u32) -> Option<u32> {
    Some(n)
}

static LIMIT: steadfast::ConcurrencyLimiter = steadfast::ConcurrencyLimiter::new(3);

#[concurrency_limit(LIMIT)]
async fn beside() -> Option<()> {
    Some(())
}

#[tokio::test]
async fn namesakes_have_series_of_their_own_and_what_is_shared_counts_once() {
    namesake(1).await;
    for _ in 0..3 {
        other::namesake(1).await;
    }
    assert_eq!(beside().await, Some(()));
    let (snapshotter, _guard) = record();
    steadfast::metrics::publish();
    let figures = figures(&snapshotter);
    let calls = |module: &str| count(&figures, &format!("steadfast_calls_total{{function=namesake,module={module},outcome=ok}}"));
    assert_eq!((calls("metrics"), calls("metrics::other")), (1, 3));
    // Other tests have limits of their own.
    let all = |name: &str, label: &str| {
        let of = |(key, value): (&String, &DebugValue)| {
            let ours = key.starts_with(name) && key.contains(label) && (key.contains("=namesake") || key.contains("=beside"));
            match value {
                DebugValue::Counter(count) if ours => Some(count.to_string()),
                DebugValue::Gauge(level) if ours => Some(level.to_string()),
                _ => None,
            }
        };
        figures.iter().filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(all("steadfast_cache_requests_total", "result=hit"), ["3"]);
    assert_eq!(all("steadfast_cache_requests_total", "result=miss"), ["1"]);
    assert_eq!(all("steadfast_concurrency", "state=limit"), ["3"]);
}

/// The figures of one test, apart from those of others: of what happens on this thread.
fn record() -> (Snapshotter, metrics::LocalRecorderGuard<'static>) {
    let recorder: &'static DebuggingRecorder = Box::leak(Box::default());
    (recorder.snapshotter(), metrics::set_default_local_recorder(recorder))
}

#[tokio::test(start_paused = true)]
async fn fallbacks_are_counted_that_stand_in_for_a_failure() {
    #[fallback(|error| if error < 4 { Ok(0) } else { Err(error) })]
    async fn some(n: u32) -> Result<u32, u32> {
        Err(n)
    }
    #[fallback(|error| -> Result<u32, u32> { if error < 4 { return Ok(0) } Err(error) })]
    async fn returning(n: u32) -> Result<u32, u32> {
        Err(n)
    }
    #[fallback(None)]
    async fn none() -> Option<u32> {
        None
    }
    #[fallback({ tokio::time::sleep(Duration::from_secs(n)).await; assert_eq!(n, 1); Some(n) })]
    async fn slow(n: u64) -> Option<u64> {
        None.filter(|m| *m == n)
    }
    let (snapshotter, _guard) = record();
    for n in 0..10 {
        let (one, other) = (some(n).await, returning(n).await);
        assert_eq!((one.is_ok(), other.is_ok()), (n < 4, n < 4));
    }
    assert_eq!((none().await, slow(1).await), (None, Some(1)));
    // Dropped, and panicked.
    assert!(tokio::time::timeout(Duration::from_secs(1), slow(5)).await.is_err());
    assert!(tokio::spawn(slow(0)).await.is_err());
    let figures = figures(&snapshotter);
    assert_eq!(counted(&figures, "steadfast_fallbacks_total"), [("some", 4), ("returning", 4), ("slow", 1)].into());
}

#[tokio::test(start_paused = true)]
async fn retries_are_counted_that_begin() {
    #[retry(attempts = 3, delay = 1s, jitter = none)]
    async fn given_up() -> Option<u32> {
        None
    }
    #[timeout(1500ms)]
    #[retry(attempts = 3, delay = 1s, jitter = none)]
    async fn cut_short() -> Result<u32, std::io::Error> {
        tokio::time::sleep(Duration::from_millis(400)).await;
        Err(std::io::Error::other("again"))
    }
    let (snapshotter, _guard) = record();
    // Dropped in the first wait, in the second, and not at all.
    for (within, attempts) in [(10, 1), (1_010, 2), (3_000, 3)] {
        let outcome = tokio::time::timeout(Duration::from_millis(within), given_up()).await;
        assert_eq!(outcome.is_ok(), attempts == 3);
    }
    assert!(cut_short().await.is_err());
    let figures = figures(&snapshotter);
    assert_eq!(counted(&figures, "steadfast_retries_total"), [("given_up", 3), ("cut_short", 1)].into());
    let waits = figures.iter().find(|(key, _)| key.starts_with("steadfast_retry_wait_seconds{") && key.contains("=given_up"));
    let Some((_, DebugValue::Histogram(waits))) = waits else { panic!("{figures:?}") };
    let mut waits: Vec<f64> = waits.iter().map(|wait| wait.into_inner()).collect();
    waits.sort_by(f64::total_cmp);
    assert_eq!(format!("{waits:?}"), "[1.0, 1.0, 2.0]");
}

#[tokio::test(start_paused = true)]
async fn hedges_are_counted_that_run_beside_others() {
    #[hedge(after = 10ms, max = 2)]
    async fn slow() -> Option<u32> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some(1)
    }
    // One after the other, and nothing beside.
    #[hedge(after = 1s)]
    async fn fails() -> Option<u32> {
        None
    }
    // Done when it is polled again after a second: by then another one has been made, which never is.
    #[hedge(after = 1s)]
    async fn just_in_time(bodies: &std::cell::Cell<u32>) -> Option<u32> {
        bodies.set(bodies.get() + 1);
        let (begun, mut polled) = (tokio::time::Instant::now(), false);
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut polled, begun.elapsed() >= Duration::from_secs(1)) {
                return std::task::Poll::Ready(Some(1));
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await
    }
    let (snapshotter, _guard) = record();
    let bodies = std::cell::Cell::new(0);
    let clock = async {
        for _ in 0..10 {
            tokio::time::advance(Duration::from_millis(100)).await;
        }
    };
    assert_eq!((slow().await, fails().await), (Some(1), None));
    let (outcome, ()) = tokio::join!(just_in_time(&bodies), clock);
    assert_eq!((outcome, bodies.get()), (Some(1), 1));
    let figures = figures(&snapshotter);
    assert_eq!(counted(&figures, "steadfast_hedges_total"), [("slow", 2)].into());
}

/// A field, and a static that two functions share.
#[tokio::test]
async fn what_has_a_name_is_exported_by_it_and_once() {
    static UPSTREAM: steadfast::ConcurrencyLimiter = steadfast::ConcurrencyLimiter::new(7).name("upstream");
    #[concurrency_limit(UPSTREAM)]
    async fn first() -> Option<()> {
        Some(())
    }
    #[concurrency_limit(UPSTREAM)]
    async fn second() -> Option<()> {
        Some(())
    }
    struct Client(CircuitBreaker, steadfast::Cache<u32, u32>);
    impl Client {
        #[async_cached(cache = self.1)]
        #[circuit_breaker(self.0)]
        async fn call(&self, n: u32) -> Option<u32> {
            Some(n)
        }
    }
    let client = Client(CircuitBreaker::new().name("upstream"), steadfast::Cache::builder().name("upstream").build());
    assert_eq!((first().await, second().await, client.call(1).await, client.call(1).await), (Some(()), Some(()), Some(1), Some(1)));
    client.0.force_open();
    let (snapshotter, _guard) = record();
    steadfast::metrics::publish();
    let published = figures(&snapshotter);
    assert_eq!(count(&published, "steadfast_cache_requests_total{function=,module=,name=upstream,result=hit}"), 1);
    let level = |name: &str| match published.get(name) {
        Some(DebugValue::Gauge(level)) => level.to_string(),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(level("steadfast_circuit_state{function=,module=,name=upstream}"), "3");
    assert_eq!(level("steadfast_concurrency{function=,module=,name=upstream,state=limit}"), "7");
    assert!(!published.keys().any(|key| key.starts_with("steadfast_concurrency{function=first")), "{published:?}");
    // It goes, and its series with it.
    drop(client);
    let recorder: &'static DebuggingRecorder = Box::leak(Box::default());
    let _guard = metrics::set_default_local_recorder(recorder);
    steadfast::metrics::publish();
    let published = figures(&recorder.snapshotter());
    assert!(!published.keys().any(|key| key.starts_with("steadfast_circuit_state{function=,")), "{published:?}");
}

/// The counters of a name, by their functions.
fn counted<'a>(figures: &'a BTreeMap<String, DebugValue>, name: &str) -> BTreeMap<&'a str, u64> {
    let counters = figures.iter().filter_map(|(key, value)| {
        let labels = key.strip_prefix(name)?.strip_prefix('{')?.strip_suffix('}')?;
        let function = labels.split(',').find_map(|label| label.strip_prefix("function="))?;
        let DebugValue::Counter(count) = value else { return None };
        Some((function, *count))
    });
    counters.collect()
}

/// The circuits of all keys are counted by their state, and no key becomes a label.
#[tokio::test(start_paused = true)]
async fn circuits_by_key() {
    static LIMITS: Keyed<u32, ConcurrencyLimiter> = Keyed::new(|| ConcurrencyLimiter::new(2));
    #[circuit_breaker(failures = 1, key = host)]
    #[concurrency_limit(LIMITS, key = id)]
    async fn fetch_by_host(host: &str, id: u32) -> Result<u32, steadfast::Error> {
        if host == "down" { Err(steadfast::testing::error(steadfast::ErrorKind::Timeout, None)) } else { Ok(id) }
    }
    for host in ["down", "up", "other"] {
        let _ = fetch_by_host(host, 1).await;
    }
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, steadfast::metrics::publish);
    let figures = figures(&snapshotter);
    let level = |name: &str| match figures.get(name) {
        Some(DebugValue::Gauge(level)) => level.to_string(),
        other => format!("{name}: {other:?}"),
    };
    let count = |state: &str| level(&format!("steadfast_circuits{{function=fetch_by_host,module=metrics,name=,state={state}}}"));
    assert_eq!([count("closed"), count("open"), count("half_open")], ["2", "1", "0"]);
    assert_eq!(level("steadfast_concurrency{function=fetch_by_host,module=metrics,name=,state=limit}"), "2");
    assert!(!figures.keys().any(|name| name.contains("down")));
}
