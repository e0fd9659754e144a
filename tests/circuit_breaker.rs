//! `#[circuit_breaker]`: what opens the circuit, what closes it, and which calls are admitted.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(clippy::items_after_statements, clippy::unchecked_time_subtraction, reason = "each function stands where it is tested")]

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::future::join_all;
use futures::poll;
use steadfast::{CircuitBreaker, CircuitState, Keyed, circuit_breaker, concurrency_limit, finally, retry, shield, timeout};
use tokio::time::{advance, sleep};

const S: Duration = Duration::from_secs(1);

#[derive(Debug, PartialEq)]
enum Failure {
    Down,
    NotFound,
    Policy(steadfast::Error),
}

impl From<steadfast::Error> for Failure {
    fn from(error: steadfast::Error) -> Self {
        Self::Policy(error)
    }
}

impl Failure {
    fn refused(&self) -> &steadfast::Error {
        match self {
            Self::Policy(error) if error.is_circuit_open() => error,
            other => panic!("{other:?} is no refusal"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn five_failures_in_a_row_open_it_for_thirty_seconds() {
    #[circuit_breaker(handle = breaker)]
    async fn work(runs: &Cell<u32>, fails: bool) -> Result<(), Failure> {
        runs.set(runs.get() + 1);
        if fails { Err(Failure::Down) } else { Ok(()) }
    }
    let runs = Cell::new(0);
    for fails in [true, true, true, true, false, true, true, true, true] {
        assert_eq!(work(&runs, fails).await.is_err(), fails);
    }
    assert_eq!(breaker().state(), CircuitState::Closed);
    assert_eq!(work(&runs, true).await, Err(Failure::Down));
    assert_eq!(breaker().state(), CircuitState::Open);
    let refused = work(&runs, false).await.unwrap_err();
    assert_eq!(refused.refused().function(), "work");
    assert_eq!(refused.refused().retry_after(), Some(30 * S));
    assert_eq!(refused.refused().to_string(), "`work` was rejected: circuit breaker is open; retry in 30s");
    advance(Duration::from_millis(29_999)).await;
    assert!(work(&runs, false).await.is_err());
    assert_eq!(runs.get(), 10);
    advance(Duration::from_millis(1)).await;
    assert_eq!(breaker().state(), CircuitState::HalfOpen);
    assert_eq!(work(&runs, false).await, Ok(()));
    assert_eq!(breaker().state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn failures_within_a_time() {
    #[circuit_breaker(failures = 3, window = 1min, handle = breaker)]
    async fn work(fails: bool) -> Option<()> {
        (!fails).then_some(())
    }
    // Successes between them do not matter; those of an hour ago do not either.
    for fails in [true, false, true, false] {
        work(fails).await;
        advance(20 * S).await;
    }
    work(true).await;
    assert_eq!(breaker().state(), CircuitState::Closed, "the first is 80 s old");
    work(true).await;
    assert_eq!(breaker().state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_share_of_the_last_calls_or_of_those_of_a_time() {
    #[circuit_breaker(failure_rate = 0.5, min_calls = 4, window = 6, handle = of_calls)]
    async fn by_calls(fails: bool) -> Option<()> {
        (!fails).then_some(())
    }
    #[circuit_breaker(failure_rate = 1, min_calls = 3, window = 10s, handle = of_time)]
    async fn by_time(fails: bool) -> Option<()> {
        (!fails).then_some(())
    }
    for fails in [true, true, true] {
        by_calls(fails).await;
    }
    assert_eq!(of_calls().state(), CircuitState::Closed);
    by_calls(false).await;
    assert_eq!(of_calls().state(), CircuitState::Open);

    for fails in [true, false, true, true] {
        by_time(fails).await;
        advance(4 * S).await;
    }
    assert_eq!(of_time().state(), CircuitState::Closed);
    by_time(true).await;
    assert_eq!(of_time().state(), CircuitState::Open, "the success is 12 s old");
}

#[tokio::test(start_paused = true)]
async fn settings_may_be_expressions() {
    const FEW: u32 = 2;
    fn window() -> usize {
        2
    }
    #[circuit_breaker(failures = FEW, open_for = S * 2, handle = breaker)]
    async fn work() -> Option<()> {
        None
    }
    #[circuit_breaker(failure_rate = 1.0 / 2.0, window = window(), handle = by_rate)]
    async fn rated() -> Option<()> {
        None
    }
    #[circuit_breaker(failures = 2, window = 2 * S, handle = by_time)]
    async fn timed() -> Option<()> {
        None
    }
    timed().await;
    advance(2 * S).await;
    timed().await;
    assert_eq!(by_time().state(), CircuitState::Closed);
    timed().await;
    assert_eq!(by_time().state(), CircuitState::Open);
    for _ in 0..2 {
        assert_eq!(breaker().state(), CircuitState::Closed);
        assert_eq!(by_rate().state(), CircuitState::Closed);
        work().await;
        rated().await;
    }
    assert_eq!(by_rate().state(), CircuitState::Open);
    advance(S).await;
    assert_eq!(breaker().state(), CircuitState::Open);
    advance(S).await;
    assert_eq!(breaker().state(), CircuitState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn when_failure_and_slow_call_say_what_counts() {
    #[circuit_breaker(failures = 2, when = |error| *error != Failure::NotFound, handle = by_error)]
    async fn with_when(error: Failure) -> Result<(), Failure> {
        Err(error)
    }
    #[circuit_breaker(failures = 2, failure = |status| *status >= 500, or_else = |error| u16::from(error.is_circuit_open()))]
    async fn with_failure(status: u16) -> u16 {
        status
    }
    #[circuit_breaker(failures = 1, slow_call = 2s, handle = by_time)]
    async fn slow(time: Duration) -> io::Result<()> {
        sleep(time).await;
        Ok(())
    }
    for error in [Failure::Down, Failure::NotFound, Failure::Down, Failure::NotFound] {
        assert!(with_when(error).await.is_err());
        assert_eq!(by_error().state(), CircuitState::Closed);
    }
    assert_eq!([with_failure(500).await, with_failure(404).await, with_failure(503).await], [500, 404, 503]);
    assert_eq!([with_failure(500).await, with_failure(200).await], [500, 1]);
    assert!(slow(S).await.is_ok());
    assert!(slow(2 * S).await.is_ok());
    assert_eq!(slow(S).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(by_time().state(), CircuitState::Open);
    #[circuit_breaker(failures = 1, slow_call = 2s, or_else = |_| 0)]
    async fn slow_and_plain(time: Duration) -> u8 {
        sleep(time).await;
        1
    }
    assert_eq!([slow_and_plain(S).await, slow_and_plain(2 * S).await, slow_and_plain(S).await], [1, 1, 0]);
}

#[tokio::test]
async fn a_failure_rate_that_is_none_panics() {
    #[circuit_breaker(failure_rate = SHARE)]
    async fn unknown() -> Option<u8> {
        Some(1)
    }
    const SHARE: f64 = f64::NAN;
    assert!(tokio::spawn(unknown()).await.unwrap_err().is_panic());
    for share in [f64::NAN, 0.0, -0.5, 1.01, f64::INFINITY] {
        assert!(std::panic::catch_unwind(|| CircuitBreaker::new().failure_rate(share)).is_err(), "{share}");
    }
    let always = CircuitBreaker::new().failure_rate(1.0).min_calls(1);
    assert_eq!(always.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_with_a_thousand_callers() {
    #[circuit_breaker(failures = 1, open_for = 1s, handle = breaker)]
    async fn work(running: &AtomicU32, fails: bool) -> Result<(), Failure> {
        assert_eq!(running.fetch_add(1, Ordering::Relaxed), 0);
        sleep(S).await;
        running.fetch_sub(1, Ordering::Relaxed);
        if fails { Err(Failure::Down) } else { Ok(()) }
    }
    let running = AtomicU32::new(0);
    assert!(work(&running, true).await.is_err());
    advance(S).await;
    let outcomes = join_all((0..1_000).map(|_| work(&running, false))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refusal = outcomes.iter().find_map(|outcome| outcome.as_ref().err()).unwrap().refused();
    assert_eq!(refusal.retry_after(), Some(S));
    assert_eq!(breaker().state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_gives_its_place_back() {
    #[circuit_breaker(failures = 1, open_for = 1s, handle = breaker)]
    async fn work(fails: bool) -> Result<(), Failure> {
        sleep(S).await;
        if fails { Err(Failure::Down) } else { Ok(()) }
    }
    assert!(work(true).await.is_err());
    advance(S).await;
    for _ in 0..3 {
        let mut probe = Box::pin(work(true));
        assert!(poll!(&mut probe).is_pending());
        assert!(work(false).await.unwrap_err().refused().is_circuit_open());
        drop(probe);
        assert_eq!(breaker().state(), CircuitState::HalfOpen);
    }
    assert_eq!(work(false).await, Ok(()));
    assert_eq!(breaker().state(), CircuitState::Closed);
}

/// Fails at once, hangs, or takes so long and then fails or succeeds.
#[derive(Clone, Copy)]
enum Fate {
    Fails,
    Hangs,
    Succeeds(Duration),
    FailsAfter(Duration),
}

impl Fate {
    async fn end(self) -> Result<(), Failure> {
        match self {
            Self::Fails => Err(Failure::Down),
            Self::Hangs => std::future::pending().await,
            Self::Succeeds(time) => {
                sleep(time).await;
                Ok(())
            }
            Self::FailsAfter(time) => {
                sleep(time).await;
                Err(Failure::Down)
            }
        }
    }
}

const AT_ONCE: Fate = Fate::Succeeds(Duration::ZERO);

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_opens_the_circuit_again() {
    #[circuit_breaker(failures = 1, open_for = 1s, open_for_max = 4s, handle = breaker)]
    async fn work(fate: Fate) -> Result<(), Failure> {
        fate.end().await
    }
    assert!(work(Fate::Fails).await.is_err());
    let mut states = breaker().subscribe();
    let mut hung = Vec::new();
    // Each one that hangs is a probe that failed: the circuit is open for twice as long.
    for open_for in [2, 4, 4] {
        let wait = work(AT_ONCE).await.unwrap_err().refused().retry_after().unwrap();
        advance(wait).await;
        let mut probe = Box::pin(work(Fate::Hangs));
        assert!(poll!(&mut probe).is_pending());
        hung.push(probe);
        assert_eq!(work(AT_ONCE).await.unwrap_err().refused().retry_after(), Some(S));
        assert_eq!(*states.borrow_and_update(), CircuitState::HalfOpen);
        advance(S).await;
        assert_eq!(breaker().state(), CircuitState::Open);
        assert_eq!(*states.borrow_and_update(), CircuitState::Open);
        assert_eq!(work(AT_ONCE).await.unwrap_err().refused().retry_after(), Some(open_for * S));
    }
    advance(4 * S).await;
    assert_eq!(work(AT_ONCE).await, Ok(()));
    assert_eq!(breaker().state(), CircuitState::Closed);
    // A probe that goes when it counts no more is nobody's failure.
    drop(hung);
    assert_eq!(breaker().state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_looks_it_is_as_if_somebody_had() {
    #[circuit_breaker(failures = 1, open_for = 10s, probe_timeout = 1s, handle = breaker)]
    async fn work(fate: Fate) -> Result<(), Failure> {
        fate.end().await
    }
    assert!(work(Fate::Fails).await.is_err());
    advance(10 * S).await;
    let mut probe = Box::pin(work(Fate::Hangs));
    assert!(poll!(&mut probe).is_pending());
    // It opened after a second, and four of its ten have gone.
    advance(5 * S).await;
    assert_eq!(work(AT_ONCE).await.unwrap_err().refused().retry_after(), Some(6 * S));
    advance(6 * S).await;
    let mut second = Box::pin(work(Fate::Hangs));
    assert!(poll!(&mut second).is_pending());
    // An hour later it has been open and is due for a probe again.
    advance(3_600 * S).await;
    assert_eq!(breaker().state(), CircuitState::HalfOpen);
    assert_eq!(work(AT_ONCE).await, Ok(()));
    assert_eq!(breaker().state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_a_late_probe_returns_counts_as_nothing() {
    #[circuit_breaker(failures = 1, open_for = 10s, probe_timeout = 1s, handle = breaker)]
    async fn work(fate: Fate) -> Result<(), Failure> {
        fate.end().await
    }
    // In time to the last moment.
    assert!(work(Fate::Fails).await.is_err());
    advance(10 * S).await;
    assert_eq!(work(Fate::Succeeds(S)).await, Ok(()));
    assert_eq!(breaker().state(), CircuitState::Closed);
    // Whether it succeeds or fails: open since its second was over, and no failure besides.
    let late = S + Duration::from_millis(1);
    for fate in [Fate::Succeeds(late), Fate::FailsAfter(late)] {
        for _ in 0..2 {
            work(Fate::Fails).await.unwrap_err();
            advance(10 * S).await;
            assert_eq!(work(fate).await.is_ok(), matches!(fate, Fate::Succeeds(_)));
            let wait = work(AT_ONCE).await.unwrap_err().refused().retry_after();
            assert_eq!(wait, Some(10 * S - Duration::from_millis(1)));
            advance(10 * S).await;
        }
        assert_eq!(work(AT_ONCE).await, Ok(()));
        assert_eq!(breaker().state(), CircuitState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_in_time_gives_its_place_back_and_a_late_one_has_failed() {
    #[circuit_breaker(failures = 1, open_for = 10s, probe_timeout = 1s, probes = 2, handle = breaker)]
    async fn work(fate: Fate) -> Result<(), Failure> {
        fate.end().await
    }
    assert!(work(Fate::Fails).await.is_err());
    advance(10 * S).await;
    let [mut first, mut second] = [Box::pin(work(Fate::Hangs)), Box::pin(work(Fate::Hangs))];
    assert!(poll!(&mut first).is_pending());
    advance(S / 2).await;
    assert!(poll!(&mut second).is_pending());
    assert_eq!(work(AT_ONCE).await.unwrap_err().refused().retry_after(), Some(S / 2));
    // The second has half a second more.
    drop(first);
    advance(S / 2).await;
    assert_eq!(work(AT_ONCE).await, Ok(()));
    assert_eq!(breaker().state(), CircuitState::HalfOpen);
    advance(S).await;
    drop(second);
    assert_eq!(breaker().state(), CircuitState::Open);
    assert_eq!(work(AT_ONCE).await.unwrap_err().refused().retry_after(), Some(10 * S - S / 2));
}

#[tokio::test(start_paused = true)]
async fn one_probe_that_hangs_and_a_thousand_callers() {
    #[circuit_breaker(failures = 1, open_for = 1s, probe_timeout = 5s, handle = breaker)]
    async fn work(runs: &AtomicU32, fate: Fate) -> Result<(), Failure> {
        runs.fetch_add(1, Ordering::Relaxed);
        fate.end().await
    }
    let runs = AtomicU32::new(0);
    assert!(work(&runs, Fate::Fails).await.is_err());
    advance(S).await;
    let mut hung = join_all((0..1_000).map(|_| work(&runs, Fate::Hangs)));
    assert!(poll!(&mut hung).is_pending());
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    advance(5 * S).await;
    // All see the circuit open; a second later one of them is the probe.
    for outcome in join_all((0..1_000).map(|_| work(&runs, AT_ONCE))).await {
        assert_eq!(outcome.unwrap_err().refused().retry_after(), Some(S));
    }
    advance(S).await;
    let outcomes = join_all((0..1_000).map(|_| work(&runs, Fate::Succeeds(S)))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!((runs.load(Ordering::Relaxed), breaker().state()), (3, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_probe_timeout_of_zero_is_none() {
    static PATIENT: CircuitBreaker = CircuitBreaker::new().name("patient").failures(1).open_for(S).probe_timeout(Duration::ZERO);
    #[circuit_breaker(PATIENT)]
    async fn work(fate: Fate) -> Result<(), Failure> {
        fate.end().await
    }
    assert!(work(Fate::Fails).await.is_err());
    advance(S).await;
    let mut probe = Box::pin(work(Fate::Succeeds(86_400 * S)));
    assert!(poll!(&mut probe).is_pending());
    advance(86_399 * S).await;
    assert_eq!(work(AT_ONCE).await.unwrap_err().refused().retry_after(), None);
    assert_eq!(probe.await, Ok(()));
    assert_eq!(PATIENT.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_retry_above_waits_until_a_probe_is_decided() {
    #[retry(attempts = 2, delay = 1ms, jitter = none)]
    #[circuit_breaker(failures = 1, open_for = 1s, probe_timeout = 2s)]
    async fn work(fate: Fate) -> Result<(), Failure> {
        fate.end().await
    }
    assert!(work(Fate::Fails).await.is_err());
    advance(S).await;
    let mut probe = Box::pin(work(Fate::Succeeds(S)));
    assert!(poll!(&mut probe).is_pending());
    let began = tokio::time::Instant::now();
    let (first, second) = tokio::join!(probe, work(AT_ONCE));
    assert_eq!((first, second, began.elapsed()), (Ok(()), Ok(()), 2 * S));
}

#[tokio::test(start_paused = true)]
async fn subscribers_may_look_at_the_breaker_while_they_are_woken() {
    struct Looks(&'static CircuitBreaker, std::sync::Mutex<Vec<CircuitState>>);
    impl std::task::Wake for Looks {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0.state());
            drop(self.0.subscribe());
        }
    }
    #[circuit_breaker(failures = 1, open_for = 1s, handle = breaker)]
    async fn work(fate: Fate) -> Result<(), Failure> {
        fate.end().await
    }
    let (done, ended) = std::sync::mpsc::channel();
    // On a thread of its own, which a deadlock keeps.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let looks = Arc::new(Looks(breaker(), std::sync::Mutex::default()));
            let waker = std::task::Waker::from(looks.clone());
            let mut states = breaker().subscribe();
            let mut seen = async |act: &dyn Fn()| {
                states.borrow_and_update();
                let mut changed = Box::pin(states.changed());
                assert!(changed.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
                act();
            };
            let call = |fate| futures::FutureExt::now_or_never(work(fate));
            seen(&|| assert_eq!(call(Fate::Fails), Some(Err(Failure::Down)))).await;
            advance(S).await;
            // Half-open; the call is dropped.
            seen(&|| assert_eq!(call(Fate::Hangs), None)).await;
            let mut hung = Box::pin(work(Fate::Hangs));
            assert!(poll!(&mut hung).is_pending());
            advance(S).await;
            // Whoever asks for the state tells the others that the probe took too long.
            seen(&|| assert_eq!(breaker().state(), CircuitState::Open)).await;
            seen(&|| breaker().force_open()).await;
            seen(&|| breaker().reset()).await;
            let states = looks.1.lock().unwrap().clone();
            let all =
                [CircuitState::Open, CircuitState::HalfOpen, CircuitState::Open, CircuitState::Isolated, CircuitState::Closed];
            done.send(states == all).unwrap();
        });
    });
    assert!(ended.recv_timeout(Duration::from_secs(60)).expect("a deadlock"));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_counts_as_nothing() {
    #[circuit_breaker(failures = 2, handle = breaker)]
    #[timeout(1s)]
    async fn work(fails: bool) -> Result<(), Failure> {
        if !fails {
            sleep(10 * S).await;
        }
        Err(Failure::Down)
    }
    assert!(work(true).await.is_err());
    for _ in 0..5 {
        let mut call = Box::pin(work(false));
        assert!(poll!(&mut call).is_pending());
    }
    assert_eq!(breaker().state(), CircuitState::Closed);
    // A deadline below it is a failure like any other.
    assert!(matches!(work(false).await, Err(Failure::Policy(error)) if error.is_timeout()));
    assert_eq!(breaker().state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_late_success_does_not_close_it() {
    #[circuit_breaker(failures = 1, handle = breaker)]
    async fn work(time: Option<Duration>) -> Result<(), Failure> {
        sleep(time.ok_or(Failure::Down)?).await;
        Ok(())
    }
    let mut late = Box::pin(work(Some(S)));
    assert!(poll!(&mut late).is_pending());
    assert!(work(None).await.is_err());
    assert_eq!(late.await, Ok(()));
    assert_eq!(breaker().state(), CircuitState::Open);
}

static SHARED: CircuitBreaker = CircuitBreaker::new().failures(1);

#[circuit_breaker(SHARED)]
async fn one() -> Option<u8> {
    None
}

#[circuit_breaker(SHARED, when = |error| error.kind() != io::ErrorKind::NotFound)]
async fn another() -> io::Result<u8> {
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn a_static_is_shared_and_steered() {
    let mut states = SHARED.subscribe();
    assert_eq!(one().await, None);
    assert!(another().await.is_err());
    states.changed().await.unwrap();
    assert_eq!(*states.borrow_and_update(), CircuitState::Open);
    SHARED.reset();
    assert_eq!(another().await.unwrap(), 1);
    SHARED.force_open();
    advance(1_000 * S).await;
    assert_eq!(another().await.unwrap_err().get_ref().unwrap().to_string(), "`another` was rejected: circuit breaker is open");
    assert_eq!(*states.borrow_and_update(), CircuitState::Isolated);
    SHARED.reset();
    assert_eq!(another().await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_field_of_self_and_a_handle_in_an_impl() {
    struct Client {
        breaker: Arc<CircuitBreaker>,
        fails: bool,
    }
    impl Client {
        #[circuit_breaker(self.breaker)]
        async fn call(&self) -> Result<(), Failure> {
            if self.fails { Err(Failure::Down) } else { Ok(()) }
        }

        /// Documented.
        #[circuit_breaker(failures = 1, handle = Self::breaker_of_all)]
        async fn shared<T: Default>(&self) -> Result<T, Failure> {
            if self.fails { Err(Failure::Down) } else { Ok(T::default()) }
        }
    }
    let client = |fails| Client { breaker: Arc::new(CircuitBreaker::new().failures(1)), fails };
    let (good, bad) = (client(false), client(true));
    assert_eq!((bad.call().await, bad.call().await.unwrap_err().refused().function()), (Err(Failure::Down), "call"));
    assert_eq!(good.call().await, Ok(()));
    // All instantiations share one.
    assert_eq!(bad.shared::<u8>().await, Err(Failure::Down));
    good.shared::<String>().await.unwrap_err().refused();
    Client::breaker_of_all().reset();
    assert_eq!(good.shared::<u8>().await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn below_a_retry_each_attempt_counts_above_it_the_call() {
    #[retry(attempts = 3, delay = 0s)]
    #[circuit_breaker(failures = 3, handle = each)]
    async fn inside() -> Option<()> {
        None
    }
    #[circuit_breaker(failures = 3, handle = whole)]
    #[retry(attempts = 3, delay = 0s)]
    async fn outside() -> Option<()> {
        None
    }
    inside().await;
    outside().await;
    assert_eq!((each().state(), whole().state()), (CircuitState::Open, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_and_reaches_the_caller() {
    #[circuit_breaker(failures = 1, handle = breaker)]
    async fn work() -> Option<()> {
        panic!("as it is")
    }
    let panic = tokio::spawn(work()).await.unwrap_err().into_panic();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "as it is");
    assert_eq!(breaker().state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_goes_with_the_panic_of_another_counts_as_nothing() {
    #[circuit_breaker(failures = 1, handle = breaker)]
    async fn work() -> Option<()> {
        sleep(Duration::from_secs(5)).await;
        Some(())
    }
    let beside = async {
        sleep(Duration::from_secs(1)).await;
        panic!("beside it")
    };
    assert!(tokio::spawn(async { tokio::join!(work(), beside) }).await.unwrap_err().is_panic());
    assert_eq!(breaker().state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_also_where_a_cleanup_waits_for_its_end() {
    #[finally(sleep(Duration::from_secs(1)))]
    #[circuit_breaker(failures = 1, handle = breaker)]
    async fn work() -> Option<()> {
        sleep(Duration::from_secs(1)).await;
        panic!("as it is")
    }
    assert!(tokio::spawn(work()).await.unwrap_err().is_panic());
    assert_eq!(breaker().state(), CircuitState::Open);
}

#[tokio::test]
async fn refusals_become_any_error() {
    static OPEN: CircuitBreaker = CircuitBreaker::new();
    #[circuit_breaker(OPEN)]
    async fn anyhow() -> anyhow::Result<()> {
        Ok(())
    }
    #[circuit_breaker(OPEN)]
    async fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(())
    }
    #[circuit_breaker(OPEN)]
    async fn own() -> Result<(), steadfast::Error> {
        Ok(())
    }
    OPEN.force_open();
    assert!(anyhow().await.unwrap_err().downcast::<steadfast::Error>().unwrap().is_circuit_open());
    assert!(boxed().await.unwrap_err().downcast::<steadfast::Error>().unwrap().is_circuit_open());
    assert_eq!(own().await.unwrap_err().kind(), steadfast::ErrorKind::CircuitOpen);
}

// --- Keys ---

#[tokio::test(start_paused = true)]
async fn each_key_has_a_circuit() {
    #[circuit_breaker(failures = 1, open_for = 1s, key = host, handle = hosts)]
    async fn fetch(host: &str, calls: &Cell<u32>) -> Option<u32> {
        calls.set(calls.get() + 1);
        (host != "down").then_some(1)
    }
    let calls = Cell::new(0);
    for expected in [None, None] {
        assert_eq!(fetch("down", &calls).await, expected);
    }
    assert_eq!((fetch("up", &calls).await, calls.get()), (Some(1), 2));
    let hosts: &'static Keyed<String, CircuitBreaker> = hosts();
    assert_eq!((hosts.len(), hosts.of("down").state(), hosts.of("up").state()), (2, CircuitState::Open, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_key_of_any_expression_and_a_shared_map() {
    static SHARDS: Keyed<(u32, String), CircuitBreaker> = Keyed::new(|| CircuitBreaker::new().failures(1)).max_keys(10);
    struct Client {
        tenant: String,
    }
    impl Client {
        #[circuit_breaker(SHARDS, key = (shard, &self.tenant))]
        async fn get(&self, shard: u32) -> Option<u32> {
            (shard != 1).then_some(shard)
        }

        #[circuit_breaker(failures = 1, key = id % 2, max_keys = 10)]
        async fn by_rest(&self, id: u32) -> Option<u32> {
            (id != 1).then_some(id)
        }
    }
    let (a, b) = (Client { tenant: "a".to_owned() }, Client { tenant: "b".to_owned() });
    assert_eq!((a.get(1).await, b.get(2).await), (None, Some(2)));
    assert_eq!(SHARDS.of(&(1, "a".to_owned())).state(), CircuitState::Open);
    assert_eq!((a.by_rest(1).await, a.by_rest(3).await, b.by_rest(2).await), (None, None, Some(2)));
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_generic_function_are_kept_apart_by_their_types() {
    #[circuit_breaker(failures = 1, key = id)]
    async fn get<K: Clone + std::hash::Hash + Eq + Send + Sync + 'static>(id: K, works: bool) -> Option<u8> {
        works.then_some(1)
    }
    assert_eq!(get(1_u8, false).await, None);
    assert_eq!((get(1_u8, true).await, get(2_u8, true).await), (None, Some(1)));
    assert_eq!(get(1_u64, true).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn one_probe_for_each_key() {
    #[circuit_breaker(failures = 1, open_for = 1s, key = host)]
    async fn fetch(host: u32, fails: bool, running: &Cell<[u32; 3]>) -> Option<u32> {
        let mut counts = running.get();
        counts[host as usize] += 1;
        running.set(counts);
        sleep(S / 10).await;
        (!fails).then_some(host)
    }
    let running = Cell::new([0; 3]);
    for host in 0..3 {
        assert_eq!(fetch(host, host < 2, &running).await, (host == 2).then_some(2));
    }
    advance(S).await;
    running.set([0; 3]);
    // 1,000 callers of each key.
    let calls = (0..3_000).map(|call| fetch(call % 3, false, &running));
    let answered = join_all(calls).await.into_iter().flatten().count();
    assert_eq!((running.get(), answered), ([1, 1, 1_000], 1_002));
}

#[tokio::test(start_paused = true)]
async fn a_key_below_layers_that_wait_and_above_a_task() {
    #[concurrency_limit(1)]
    #[timeout(5s)]
    #[retry(attempts = 2, delay = 0s)]
    #[circuit_breaker(failures = 2, key = (host.clone(), id))]
    #[shield]
    async fn fetch(host: String, id: u32) -> Result<String, Failure> {
        if id == 0 { Err(Failure::Down) } else { Ok(host) }
    }
    assert_eq!(fetch("a".to_owned(), 0).await, Err(Failure::Down));
    assert!(fetch("a".to_owned(), 0).await.unwrap_err().refused().retry_after().is_some());
    assert_eq!(fetch("a".to_owned(), 1).await.as_deref(), Ok("a"));
}

// --- What counts as nothing, and slow calls apart ---

#[tokio::test(start_paused = true)]
async fn ignored_errors_count_as_nothing() {
    #[circuit_breaker(failures = 2, open_for = 1s, ignore = |e| *e == Failure::NotFound, handle = circuit)]
    async fn get(failure: Option<Failure>) -> Result<u32, Failure> {
        failure.map_or(Ok(1), Err)
    }
    assert_eq!(get(Some(Failure::Down)).await, Err(Failure::Down));
    assert_eq!(get(Some(Failure::NotFound)).await, Err(Failure::NotFound));
    assert_eq!(get(Some(Failure::Down)).await, Err(Failure::Down));
    assert_eq!(circuit().state(), CircuitState::Open, "it did not end the streak");
    advance(S).await;
    for _ in 0..3 {
        assert_eq!(get(Some(Failure::NotFound)).await, Err(Failure::NotFound));
        assert_eq!(circuit().state(), CircuitState::HalfOpen, "each of these probes has made room");
    }
    assert_eq!((get(None).await, circuit().state()), (Ok(1), CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn slow_calls_have_a_rate_of_their_own() {
    #[circuit_breaker(slow_call = 100ms, slow_rate = 0.5, window = 4, min_calls = 4, open_jitter = 0.5, handle = circuit)]
    async fn get(slow: bool) -> Option<u32> {
        sleep(if slow { S / 10 } else { S / 100 }).await;
        Some(1)
    }
    for slow in [true, false, false, true] {
        assert_eq!((get(slow).await, circuit().metrics().failures), (Some(1), 0));
    }
    let metrics = circuit().metrics();
    assert_eq!(metrics.state, CircuitState::Open);
    assert!((30 * S..=45 * S).contains(&metrics.half_open_in.unwrap()));
}
