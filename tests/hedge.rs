//! `#[hedge]`: which attempt starts when, which one wins, and what happens to the others.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::{FutureExt, poll};
use steadfast::{Error, async_cached, hedge, offload_blocking, retry, shield, timeout};
use tokio::time::{Instant, advance, sleep, timeout_at};

const MS: Duration = Duration::from_millis(1);

/// The times at which attempts began and ended.
struct Log {
    started: Instant,
    begun: RefCell<Vec<u128>>,
    dropped: RefCell<Vec<u128>>,
}

/// One attempt.
struct Attempt<'a>(&'a Log);

impl Log {
    fn new() -> Self {
        Self { started: Instant::now(), begun: RefCell::default(), dropped: RefCell::default() }
    }

    /// Notes an attempt and says which one it is.
    fn begin(&self) -> (usize, Attempt<'_>) {
        self.begun.borrow_mut().push(self.started.elapsed().as_millis());
        (self.begun.borrow().len(), Attempt(self))
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.0.dropped.borrow_mut().push(self.0.started.elapsed().as_millis());
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_attempt_after_a_time_and_the_loser_is_dropped() {
    #[hedge(after = 50ms)]
    async fn work(log: &Log, times: &[u32]) -> Result<usize, String> {
        let (index, _attempt) = log.begin();
        sleep(times[index - 1] * MS).await;
        Ok(index)
    }
    // The first is quick; the second wins; the first wins after all.
    for (times, winner, begun, end) in [([20, 0], 1, vec![0], 20), ([200, 30], 2, vec![0, 50], 80), ([60, 30], 1, vec![0, 50], 60)]
    {
        let log = Log::new();
        assert_eq!(work(&log, &times).await, Ok(winner));
        assert_eq!(*log.begun.borrow(), begun);
        assert_eq!(*log.dropped.borrow(), vec![end; begun.len()], "all destructors have run when the call returns");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_starts_the_next_at_once_and_the_last_failure_is_returned() {
    #[hedge(after = 50ms)]
    async fn work(log: &Log, outcomes: &[Result<u8, u8>], times: &[u32]) -> Result<u8, u8> {
        let (index, _attempt) = log.begin();
        sleep(times[index - 1] * MS).await;
        outcomes[index - 1]
    }
    let log = Log::new();
    assert_eq!(work(&log, &[Err(1), Ok(2)], &[10, 10]).await, Ok(2));
    assert_eq!(*log.begun.borrow(), [0, 10]);
    let log = Log::new();
    assert_eq!(work(&log, &[Err(1), Err(2)], &[10, 10]).await, Err(2));
    assert_eq!(*log.begun.borrow(), [0, 10]);
    // The second fails while the first still runs, and the other way round.
    assert_eq!(work(&Log::new(), &[Ok(1), Err(2)], &[100, 10]).await, Ok(1));
    assert_eq!(work(&Log::new(), &[Err(1), Ok(2)], &[60, 100]).await, Ok(2));
    assert_eq!(work(&Log::new(), &[Err(1), Err(2)], &[100, 10]).await, Err(1));
}

#[tokio::test(start_paused = true)]
async fn at_most_max_more() {
    #[hedge(after = 10ms, max = more)]
    async fn work(log: &Log, more: u32) -> Option<()> {
        let _attempt = log.begin();
        sleep(100 * MS).await;
        None
    }
    let log = Log::new();
    assert_eq!(work(&log, 3).await, None);
    assert_eq!(*log.begun.borrow(), [0, 10, 20, 30]);
    assert_eq!(log.dropped.borrow().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_percentile_of_its_own_latencies() {
    #[hedge(after = p90)]
    async fn work(log: &Log, time: Duration) -> u32 {
        let _attempt = log.begin();
        sleep(time).await;
        7
    }
    let log = Log::new();
    for call in 0..20 {
        assert_eq!(work(&log, if call < 2 { 500 * MS } else { 20 * MS }).await, 7);
    }
    assert_eq!(log.begun.borrow().len(), 20, "nothing is known yet");
    let log = Log::new();
    work(&log, 10 * MS).await;
    assert_eq!(*log.begun.borrow(), [0]);
    let log = Log::new();
    work(&log, 100 * MS).await;
    assert_eq!(*log.begun.borrow(), [0, 20]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_drops_all_attempts() {
    #[hedge(after = 10ms)]
    async fn work(log: &Log) -> u32 {
        let _attempt = log.begin();
        std::future::pending().await
    }
    let log = Log::new();
    let mut call = Box::pin(work(&log));
    assert!(poll!(&mut call).is_pending());
    sleep(20 * MS).await;
    assert!(poll!(&mut call).is_pending());
    assert_eq!((log.begun.borrow().len(), log.dropped.borrow().len()), (2, 0));
    drop(call);
    assert_eq!(log.dropped.borrow().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn deadlines_above_and_below() {
    #[timeout(100ms)]
    #[hedge(after = 30ms)]
    async fn above(log: &Log) -> Result<(), Error> {
        let _attempt = log.begin();
        std::future::pending().await
    }
    #[hedge(after = 30ms)]
    #[timeout(100ms)]
    async fn below(log: &Log) -> Result<(), Error> {
        let _attempt = log.begin();
        std::future::pending().await
    }
    let log = Log::new();
    assert!(above(&log).await.unwrap_err().is_timeout());
    assert_eq!((log.begun.take(), log.dropped.take()), (vec![0, 30], vec![100, 100]));
    let log = Log::new();
    assert!(below(&log).await.unwrap_err().is_timeout());
    assert_eq!((log.begun.take(), log.dropped.take()), (vec![0, 30], vec![100, 130]));
}

#[tokio::test(start_paused = true)]
async fn inside_a_retry() {
    #[retry(attempts = 3, delay = 0s)]
    #[hedge(after = 50ms)]
    async fn work(runs: &Cell<u32>) -> Option<u32> {
        runs.set(runs.get() + 1);
        (runs.get() == 5).then_some(5)
    }
    let runs = Cell::new(0);
    assert_eq!((work(&runs).await, runs.get()), (Some(5), 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn above_a_blocking_body_the_arguments_are_cloned() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[hedge(after = 20ms)]
    #[offload_blocking]
    fn work(mut text: String) -> String {
        if RUNS.fetch_add(1, Ordering::Relaxed) == 0 {
            std::thread::sleep(200 * MS);
        }
        text.push('!');
        text
    }
    let started = std::time::Instant::now();
    assert_eq!(tokio::spawn(work("a".to_owned())).await.unwrap(), "a!");
    assert!(started.elapsed() < 150 * MS);
}

#[tokio::test(start_paused = true)]
async fn above_work_on_another_task_each_attempt_has_its_own_arguments() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[hedge(after = 50ms)]
    #[shield]
    async fn shielded(id: String, text: &str, times: usize) -> usize {
        let id = id + text;
        // The first attempt hangs.
        sleep(if RUNS.fetch_add(1, Ordering::Relaxed) == 0 { 5_000 * MS } else { MS }).await;
        id.len() * times
    }
    #[hedge(after = 50ms, max = 2)]
    #[async_cached(detached)]
    async fn detached(id: String, text: &str, times: usize) -> Option<usize> {
        let id = id + text;
        sleep(1_000 * MS).await;
        Some(id.len() * times)
    }
    let started = Instant::now();
    assert_eq!(shielded("ab".to_owned(), "c", 2).await, 6);
    assert_eq!(started.elapsed(), 51 * MS);
    assert_eq!(detached("ab".to_owned(), "c", 2).await, Some(6));
}

/// Of whatever is of tokio, nothing goes on in a task that has used up its budget.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_uses_up_the_budget_keeps_no_other_away() {
    #[hedge(after = 50ms, max = 2)]
    async fn work(log: &Log, greedy: usize) -> Option<usize> {
        let (index, _attempt) = log.begin();
        if index <= greedy {
            loop {
                // The clock stands while a task is ready to run.
                advance(MS / 10).await;
                while tokio::task::coop::has_budget_remaining() {
                    tokio::task::coop::consume_budget().await;
                }
            }
        }
        for _ in 0..3 {
            sleep(MS).await;
        }
        Some(index)
    }
    for greedy in 1..=2 {
        let log = Log::new();
        let winner = timeout_at(log.started + 1_000 * MS, work(&log, greedy)).await;
        assert_eq!(winner, Ok(Some(greedy + 1)), "{:?}", log.begun);
        assert_eq!(log.dropped.borrow().len(), greedy + 1);
    }
}

/// As with a local of the body, a destructor that panics takes the place of the value; the other destructors run.
#[tokio::test(start_paused = true)]
async fn a_loser_whose_destructor_panics() {
    struct Bomb<'a>(Attempt<'a>);
    impl Drop for Bomb<'_> {
        fn drop(&mut self) {
            assert!(self.0.0.begun.borrow().len() < 3, "a bomb");
        }
    }
    #[hedge(after = 10ms, max = 2)]
    async fn work(log: &Log) -> u32 {
        let (index, attempt) = log.begin();
        if index == 3 {
            return 3;
        }
        let _bomb = Bomb(attempt);
        std::future::pending().await
    }
    let log = Log::new();
    let panic = AssertUnwindSafe(work(&log)).catch_unwind().await.unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"a bomb"));
    assert_eq!(log.dropped.borrow().len(), 3, "two panics are none too many");
}

/// The name of an argument means the argument.
#[tokio::test(start_paused = true)]
async fn an_argument_that_is_called_like_a_percentile() {
    #[hedge(after = p50)]
    async fn work(log: &Log, p50: Duration) -> u32 {
        let (index, _attempt) = log.begin();
        sleep(if index == 1 { 1_000 * MS } else { MS }).await;
        7
    }
    #[hedge(after = p100)]
    async fn whole(log: &Log, p100: Duration) -> u32 {
        let (index, _attempt) = log.begin();
        sleep(if index == 1 { 1_000 * MS } else { MS }).await;
        7
    }
    let log = Log::new();
    assert_eq!(work(&log, 30 * MS).await, 7);
    assert_eq!(*log.begun.borrow(), [0, 30]);
    let log = Log::new();
    assert_eq!(whole(&log, 40 * MS).await, 7);
    assert_eq!(*log.begun.borrow(), [0, 40]);
}

#[tokio::test(start_paused = true)]
async fn a_percentile_for_each_instantiation() {
    trait Kind {
        const TIME: Duration;
    }
    struct Fast;
    struct Slow;
    impl Kind for Fast {
        const TIME: Duration = MS;
    }
    impl Kind for Slow {
        const TIME: Duration = Duration::from_millis(100);
    }
    #[hedge(after = p50)]
    async fn work<K: Kind>(log: &Log, factor: u32) -> Option<u32> {
        let _attempt = log.begin();
        sleep(K::TIME * factor).await;
        Some(7)
    }
    struct Of<K>(std::marker::PhantomData<K>);
    impl<K: Kind> Of<K> {
        #[hedge(after = p50)]
        async fn work(&self, log: &Log, factor: u32) -> Option<u32> {
            let _attempt = log.begin();
            sleep(K::TIME * factor).await;
            Some(7)
        }
    }
    let (fast, slow) = (Of::<Fast>(std::marker::PhantomData), Of::<Slow>(std::marker::PhantomData));
    for _ in 0..20 {
        let log = Log::new();
        work::<Fast>(&log, 1).await;
        work::<Slow>(&log, 1).await;
        fast.work(&log, 1).await;
        slow.work(&log, 1).await;
    }
    for (fast, millis) in [(true, 1), (false, 100)] {
        let log = Log::new();
        let _ = if fast { work::<Fast>(&log, 2).await } else { work::<Slow>(&log, 2).await };
        assert_eq!(*log.begun.borrow(), [0, millis]);
    }
    let log = Log::new();
    fast.work(&log, 2).await;
    assert_eq!(*log.begun.borrow(), [0, 1]);
    let log = Log::new();
    slow.work(&log, 2).await;
    assert_eq!(*log.begun.borrow(), [0, 100]);
}

#[tokio::test(start_paused = true)]
async fn a_percentile_for_each_key() {
    #[hedge(after = p90, key = host)]
    async fn fetch(host: &str, took: Duration, attempts: &Cell<u32>) -> Option<u32> {
        attempts.set(attempts.get() + 1);
        sleep(took).await;
        Some(attempts.get())
    }
    let attempts = Cell::new(0);
    for _ in 0..32 {
        fetch("fast", MS, &attempts).await;
        fetch("slow", 100 * MS, &attempts).await;
    }
    assert_eq!(attempts.take(), 64);
    fetch("slow", 99 * MS, &attempts).await;
    assert_eq!(attempts.take(), 1, "as usual for this host");
    fetch("fast", 99 * MS, &attempts).await;
    assert_eq!(attempts.take(), 2);
    fetch("new", 99 * MS, &attempts).await;
    assert_eq!(attempts.take(), 1, "nothing is known of it");
}
