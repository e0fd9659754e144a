//! `#[retry]`: attempts, backoff, arguments.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures::future::poll_immediate;
use steadfast::retry;
use tokio::time::{Instant, sleep};

#[derive(Debug, PartialEq)]
enum Failure {
    Busy(u32),
    After(Duration),
    Fatal,
}

const MS: Duration = Duration::from_millis(1);

/// The times at which the body ran, in milliseconds after the first.
#[derive(Default)]
struct Times {
    first: Cell<Option<Instant>>,
    all: RefCell<Vec<u128>>,
}

impl Times {
    /// Notes an attempt and says which one it is.
    fn note(&self) -> u32 {
        let first = self.first.get().unwrap_or_else(Instant::now);
        self.first.set(Some(first));
        self.all.borrow_mut().push(first.elapsed().as_millis());
        u32::try_from(self.all.borrow().len()).unwrap()
    }

    fn assert(&self, expected: &[u128]) {
        assert_eq!(*self.all.borrow(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn three_attempts_with_doubling_waits_and_the_last_error_unchanged() {
    #[retry(jitter = none)]
    async fn fails(times: &Times) -> Result<(), Failure> {
        Err(Failure::Busy(times.note()))
    }
    let times = Times::default();
    assert_eq!(fails(&times).await, Err(Failure::Busy(3)));
    times.assert(&[0, 100, 300]);
}

#[tokio::test(start_paused = true)]
async fn success_ends_it() {
    #[retry(attempts = 5, delay = 10ms, jitter = none)]
    async fn third(times: &Times) -> Result<u32, Failure> {
        match times.note() {
            3 => Ok(3),
            n => Err(Failure::Busy(n)),
        }
    }
    let times = Times::default();
    assert_eq!(third(&times).await, Ok(3));
    times.assert(&[0, 10, 30]);
}

#[tokio::test(start_paused = true)]
async fn factor_and_max_delay() {
    #[retry(attempts = 6, delay = 10ms, factor = 3, max_delay = 100ms, jitter = none)]
    async fn fails(times: &Times) -> Option<()> {
        times.note();
        None
    }
    #[retry(attempts = tries, delay = wait, factor = 1.5, jitter = none)]
    async fn by_expressions(times: &Times, tries: usize, wait: Duration) -> Option<()> {
        times.note();
        None
    }
    let times = Times::default();
    assert_eq!(fails(&times).await, None);
    times.assert(&[0, 10, 40, 130, 230, 330]);
    let times = Times::default();
    assert_eq!(by_expressions(&times, 4, 100 * MS).await, None);
    times.assert(&[0, 100, 250, 475]);
}

#[tokio::test(start_paused = true)]
async fn jitter_spreads_the_waits_within_their_range() {
    #[retry(attempts = 2, delay = 1000ms, jitter = full)]
    async fn full(times: &Times) -> Option<()> {
        times.note();
        None
    }
    #[retry(attempts = 2, delay = 1000ms, jitter = equal)]
    async fn equal(times: &Times) -> Option<()> {
        times.note();
        None
    }
    let (mut least, mut most) = (u128::MAX, 0);
    for _ in 0..200 {
        let times = Times::default();
        full(&times).await;
        let wait = times.all.borrow()[1];
        assert!(wait <= 1_001, "{wait}");
        (least, most) = (least.min(wait), most.max(wait));
        let times = Times::default();
        equal(&times).await;
        let wait = times.all.borrow()[1];
        assert!((500..=1_001).contains(&wait), "{wait}");
    }
    assert!(most - least > 500, "from {least} to {most}");
}

#[tokio::test(start_paused = true)]
async fn when_says_which_errors() {
    #[retry(attempts = 9, delay = 0s, when = |error| matches!(error, Failure::Busy(_)))]
    async fn fails(times: &Times) -> Result<(), Failure> {
        Err(if times.note() == 4 { Failure::Fatal } else { Failure::Busy(0) })
    }
    let times = Times::default();
    assert_eq!(fails(&times).await, Err(Failure::Fatal));
    times.assert(&[0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn failure_judges_any_return_type() {
    #[retry(attempts = 4, delay = 10ms, jitter = none, failure = |status| *status >= 500)]
    async fn status(times: &Times) -> u32 {
        498 + 4 / times.note()
    }
    let times = Times::default();
    assert_eq!(status(&times).await, 499);
    times.assert(&[0, 10, 30]);
}

#[tokio::test(start_paused = true)]
async fn retry_after_replaces_the_computed_wait() {
    #[retry(attempts = 4, delay = 10ms, max_delay = 20ms, jitter = none, retry_after = |error| match error {
        Failure::After(wait) => Some(*wait),
        _ => None,
    })]
    async fn fails(times: &Times) -> Result<(), Failure> {
        Err(if times.note() == 2 { Failure::After(70 * MS) } else { Failure::Fatal })
    }
    let times = Times::default();
    assert_eq!(fails(&times).await, Err(Failure::Fatal));
    times.assert(&[0, 10, 80, 100]);
}

#[tokio::test(start_paused = true)]
async fn max_elapsed_begins_no_wait_that_could_not_end_in_time() {
    #[retry(attempts = 100, delay = 100ms, factor = 1, jitter = none, max_elapsed = 350ms)]
    async fn fails(times: &Times) -> Result<(), Failure> {
        Err(Failure::Busy(times.note()))
    }
    let (times, started) = (Times::default(), Instant::now());
    assert_eq!(fails(&times).await, Err(Failure::Busy(4)));
    times.assert(&[0, 100, 200, 300]);
    assert_eq!(started.elapsed(), 300 * MS);
}

#[tokio::test(start_paused = true)]
async fn on_retry_is_told_of_each_wait() {
    #[retry(delay = 10ms, jitter = none, on_retry = |event| told.borrow_mut().push(format!(
        "{} {} {:?} {:?}", event.function(), event.attempt(), event.delay(), event.error().unwrap()
    )))]
    async fn fails(times: &Times, told: &RefCell<Vec<String>>) -> Result<(), Failure> {
        Err(Failure::Busy(times.note()))
    }
    let told = RefCell::default();
    assert_eq!(fails(&Times::default(), &told).await, Err(Failure::Busy(3)));
    assert_eq!(told.take(), ["fails 1 10ms Busy(1)", "fails 2 20ms Busy(2)"]);
}

/// Without a runtime there is no timer: whoever touches one panics.
#[test]
fn a_zero_delay_touches_no_timer() {
    #[retry(attempts = 3, delay = 0ms)]
    async fn fails(runs: &Cell<u32>) -> Option<()> {
        runs.set(runs.get() + 1);
        None
    }
    let runs = Cell::new(0);
    assert_eq!(futures::executor::block_on(fails(&runs)), None);
    assert_eq!(runs.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn delays_saturate() {
    #[retry(attempts = 60, delay = Duration::MAX, factor = 1e300, max_delay = 1ms, jitter = none)]
    async fn fails(times: &Times) -> Option<()> {
        times.note();
        None
    }
    let times = Times::default();
    fails(&times).await;
    assert_eq!(*times.all.borrow().last().unwrap(), 59);
}

/// Counts how often it is cloned.
struct Counted<'a>(&'a Cell<u32>);

impl Clone for Counted<'_> {
    fn clone(&self) -> Self {
        self.0.set(self.0.get() + 1);
        Self(self.0)
    }
}

#[retry(attempts = 3, delay = 0s, clone(consumed, mutated))]
async fn consumes(consumed: Counted<'_>, mut mutated: Vec<u32>, kept: Counted<'_>, fails: u32, runs: &Cell<u32>) -> Option<usize> {
    let moved = consumed;
    mutated.push(u32::from(moved.0 == kept.0));
    runs.set(runs.get() + 1);
    (runs.get() > fails).then_some(mutated.len())
}

#[tokio::test(start_paused = true)]
async fn arguments_in_clone_are_cloned_for_each_attempt_but_the_last() {
    for (fails, clones, outcome) in [(0, 1, Some(1)), (1, 2, Some(1)), (2, 2, Some(1)), (3, 2, None)] {
        let (consumed, kept, runs) = (Cell::new(0), Cell::new(0), Cell::new(0));
        assert_eq!(consumes(Counted(&consumed), vec![], Counted(&kept), fails, &runs).await, outcome);
        assert_eq!((consumed.get(), kept.get()), (clones, 0), "after {fails} failures");
    }
}

#[tokio::test(start_paused = true)]
async fn self_and_mutable_borrows_are_used_by_each_attempt() {
    struct Counter(u32);
    impl Counter {
        #[retry(attempts = 4, delay = 1ms)]
        async fn bump(&mut self, log: &mut Vec<u32>) -> Result<u32, Failure> {
            self.0 += 1;
            log.push(self.0);
            sleep(MS).await;
            if self.0 < 3 { Err(Failure::Fatal) } else { Ok(self.0) }
        }
    }
    let mut log = Vec::new();
    assert_eq!(Counter(0).bump(&mut log).await, Ok(3));
    assert_eq!(log, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_call_stops_the_attempts() {
    #[retry(attempts = 5, delay = 100ms, jitter = none)]
    async fn fails(times: &Times) -> Option<()> {
        times.note();
        sleep(10 * MS).await;
        None
    }
    // In the first attempt, in the first wait, in the second attempt.
    for (after, attempts) in [(5, 1), (50, 1), (115, 2)] {
        let times = Times::default();
        let call = tokio::time::timeout(after * MS, fails(&times));
        assert!(call.await.is_err());
        sleep(Duration::from_secs(1)).await;
        assert_eq!(times.all.borrow().len(), attempts);
    }
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "not again")]
async fn a_panic_is_not_retried() {
    #[retry(attempts = 5, delay = 0s)]
    async fn panics(runs: &Cell<u32>) -> Option<()> {
        runs.set(runs.get() + 1);
        assert!(runs.get() < 2, "again");
        panic!("not again")
    }
    panics(&Cell::new(0)).await;
}

#[tokio::test(start_paused = true)]
async fn the_failed_outcome_is_gone_while_the_call_waits() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    // Its error is not `Send`: were it held over the wait, neither would the future be.
    #[retry(delay = 10ms)]
    async fn fails() -> Result<(), std::rc::Rc<str>> {
        Err("not send".into())
    }
    let mut call = Box::pin(send(fails()));
    assert!(poll_immediate(&mut call).await.is_none());
    assert!(call.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_factor_below_one_counts_as_one() {
    #[retry(attempts = 4, delay = 10ms, jitter = none, factor = factor)]
    async fn work(factor: f64) -> Option<()> {
        None.filter(|()| factor > 0.0)
    }
    for factor in [0.5, 0.0, -1.0, f64::NAN] {
        let began = Instant::now();
        assert_eq!(work(factor).await, None);
        assert_eq!(began.elapsed(), 30 * MS, "{factor}");
    }
}
