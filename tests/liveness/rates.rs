//! The throughput of a steady rate.
#![allow(clippy::cast_precision_loss, reason = "counts of calls are small")]

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::join_all;
use futures::poll;
use steadfast::{RateLimiter, rate_limit};
use tokio::time::Instant;

struct Quota(RateLimiter);

impl Quota {
    fn new(rate: u32, burst: u32) -> Self {
        Self(RateLimiter::new(rate, Duration::from_secs(1)).burst(burst))
    }

    #[rate_limit(self.0, max_wait = 60s)]
    async fn take(&self) -> Option<Instant> {
        Some(Instant::now())
    }

    #[rate_limit(self.0, max_wait = 100_000h)]
    async fn wait(&self) -> Option<Instant> {
        Some(Instant::now())
    }

    #[rate_limit(self.0, max_wait = 100_000h, key = key)]
    async fn wait_of(&self, key: u32) -> Option<Instant> {
        Some(Instant::now())
    }

    #[rate_limit(self.0, max_wait = 60s, key = key)]
    async fn take_of(&self, key: u32) -> Option<Instant> {
        Some(Instant::now())
    }
}

/// The times at which calls came through: so many callers, each of which comes again at once.
async fn through(quota: &Quota, calls: usize, callers: usize, keyed: bool) -> Vec<Duration> {
    let started = Instant::now();
    let caller = |_| async {
        let mut times = Vec::new();
        for _ in 0..calls / callers {
            let through = if keyed { quota.take_of(1).await } else { quota.take().await };
            times.push(through.expect("it waits") - started);
        }
        times
    };
    let mut times = join_all((0..callers).map(caller)).await.concat();
    times.sort_unstable();
    times
}

#[tokio::test(start_paused = true)]
async fn one_caller_after_another_gets_the_whole_rate() {
    #[rate_limit(2_000 / 1s, burst = 1, max_wait = 60s)]
    async fn call() -> Option<()> {
        Some(())
    }
    let started = Instant::now();
    for _ in 0..1_000 {
        call().await.unwrap();
    }
    let took = started.elapsed().as_millis();
    assert!((499..=505).contains(&took), "{took} ms");
}

/// Timers of whole milliseconds, and rates that are none.
#[tokio::test(start_paused = true)]
async fn the_rate_is_reached_and_not_exceeded() {
    for rate in [7, 100, 999, 1_000, 1_428, 2_000, 3_333, 10_000, 70_000] {
        for burst in [1, 2, 10, 1_000] {
            for callers in [1, 7, 100] {
                for keyed in [false, true] {
                    let calls = (rate as usize * 2).clamp(100, 1_000) / callers * callers;
                    let times = through(&Quota::new(rate, burst), calls, callers, keyed).await;
                    let what = format!("{rate}/s, {burst} at once, {callers} callers, keyed: {keyed}");
                    // The last is due when all but the burst had their time. A timer is late by up to a millisecond.
                    let ideal = (calls as f64 - f64::from(burst)).max(0.0) / f64::from(rate);
                    let took = times.last().unwrap().as_secs_f64();
                    assert!(took <= ideal * 1.01 + 0.002, "{what}: {took} s, and not {ideal}");
                    // No interval is shorter than what the rate allows, less what is made up for of a timer's lateness.
                    for (index, from) in times.iter().enumerate().step_by(43) {
                        for (more, to) in times.iter().enumerate().skip(index).step_by(3) {
                            let start = if index == 0 { 0.0 } else { 0.003 };
                            let window = (*to - *from).as_secs_f64() + start;
                            let most = f64::from(burst) + f64::from(rate) * window + 1e-6;
                            assert!((more - index + 1) as f64 <= most, "{what}: {} in {window} s", more - index + 1);
                        }
                    }
                    // Since the start, to the call.
                    for (index, at) in times.iter().enumerate() {
                        let most = f64::from(burst) + f64::from(rate) * at.as_secs_f64() + 1e-6;
                        assert!((index + 1) as f64 <= most, "{what}: {} by {at:?}", index + 1);
                    }
                }
            }
        }
    }
}

/// What a timer was late is made up for while somebody waits, and is no credit for later.
#[tokio::test(start_paused = true)]
async fn idle_time_is_worth_a_burst_and_no_more() {
    let quota = Quota::new(10_000, 5);
    for _ in 0..20 {
        through(&quota, 50, 1, false).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let at_once = (0..1_000).filter(|_| quota.0.check().is_ok()).count();
        assert_eq!(at_once, 5);
        // Set back while somebody waits, it is not the time before that is handed out.
        let waits = through(&quota, 1, 1, false);
        quota.0.reset();
        waits.await;
        let at_once = (0..1_000).filter(|_| quota.0.check().is_ok()).count();
        assert_eq!(at_once, 4);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// So many tasks wait, and come through in real time: how many a second.
fn waiting_tasks(tasks: u32, keyed: bool) -> f64 {
    let quota = Arc::new(Quota(RateLimiter::new(1, Duration::from_secs(3_600)).burst(10)));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (waiting, through) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        // The others wait until the rate is set.
        for _ in 0..10 {
            let taken = if keyed { quota.take_of(1).await } else { quota.take().await };
            taken.unwrap();
        }
        let begun = Arc::new(OnceLock::<std::time::Instant>::new());
        let calls: Vec<_> = (0..tasks)
            .map(|_| {
                let (quota, waiting, through, begun) = (quota.clone(), waiting.clone(), through.clone(), begun.clone());
                tokio::spawn(async move {
                    let mut call: Pin<Box<dyn Future<Output = Option<Instant>> + Send>> =
                        if keyed { Box::pin(async { quota.wait_of(1).await }) } else { Box::pin(async { quota.wait().await }) };
                    assert!(poll!(&mut call).is_pending());
                    waiting.fetch_add(1, Ordering::SeqCst);
                    call.await.unwrap();
                    let count = through.fetch_add(1, Ordering::SeqCst) + 1;
                    let elapsed = begun.get().unwrap().elapsed();
                    let most = 10.0 + 100_000.0 * elapsed.as_secs_f64();
                    assert!(count as f64 <= most, "{count} after {elapsed:?}");
                })
            })
            .collect();
        while waiting.load(Ordering::SeqCst) < u64::from(tasks) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let started = *begun.get_or_init(std::time::Instant::now);
        quota.0.set_rate(100_000, Duration::from_secs(1));
        for call in calls {
            call.await.unwrap();
        }
        f64::from(tasks) / started.elapsed().as_secs_f64()
    })
}

/// The longest time by which a thread was late that does nothing but sleep for a millisecond: how busy the machine is with something else.
fn lateness(over: &AtomicBool) -> Duration {
    let (tick, mut most) = (Duration::from_millis(1), Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        let started = std::time::Instant::now();
        std::thread::sleep(tick);
        most = most.max(started.elapsed().saturating_sub(tick));
    }
    most
}

#[test]
fn many_waiting_tasks_in_real_time() {
    for keyed in [false, true] {
        let mut tries = Vec::new();
        loop {
            let over = AtomicBool::new(false);
            let (rate, late) = std::thread::scope(|scope| {
                let late = scope.spawn(|| lateness(&over));
                let rate = waiting_tasks(50_000, keyed);
                over.store(true, Ordering::Relaxed);
                (rate, late.join().unwrap())
            });
            tries.push((rate, late));
            if rate >= 95_000.0 {
                break;
            }
            // On a machine that is busy with something else, a try says little; five that had it for themselves say enough.
            let undisturbed = tries.iter().filter(|(_, late)| *late < Duration::from_millis(10)).count();
            let best = tries.iter().map(|(rate, _)| *rate).fold(0.0, f64::max);
            assert!(undisturbed < 5, "{tries:?}");
            if tries.len() == 10 {
                assert!(best > 40_000.0, "{tries:?}");
                break;
            }
        }
    }
}
