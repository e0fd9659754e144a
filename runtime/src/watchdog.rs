//! `Watchdog`: notices that the threads of a runtime are being blocked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeMetrics};
use tokio::task::JoinHandle;

use crate::report::{Report, ReportKind};

/// Watches a runtime from a thread outside of it, and reports when one of its workers is blocked by a task that does not yield.
///
/// ```
/// use std::time::Duration;
/// use steadfast::Watchdog;
///
/// # #[tokio::main] async fn main() {
/// let _watchdog = Watchdog::builder().threshold(Duration::from_millis(200)).start(); // until it is dropped
/// # }
/// ```
///
/// It only warns: each time a worker is blocked, one [`Report`] of the kind [`ReportKind::Blocked`]. It cannot name the task; that is
/// what an attribute on the suspected function is for.
///
/// # How it knows
///
/// Four times within the threshold it looks at tokio's stable metrics: a worker that is awake, and has neither gone to sleep nor worked
/// off a round of its queue for that long, is blocked. And it asks the runtime to run a task that does nothing: where that has not
/// been done within twice the threshold although no worker looks blocked, the runtime has more work than it can do. Time is that of the machine, not of
/// tokio's paused clock.
///
/// What it does not see: code that blocks for less than the threshold; the future that is given to `block_on` of a runtime with several
/// threads, which runs outside of the workers. A current-thread runtime that nobody drives looks blocked.
///
/// It costs one thread that sleeps, and a few spawned tasks a second.
#[derive(Debug)]
#[must_use = "it stops when it is dropped"]
pub struct Watchdog {
    /// Dropped with the watchdog, which ends the thread.
    _stop: Sender<()>,
}

impl Watchdog {
    /// Watches the current runtime, with a threshold of 500 ms.
    ///
    /// # Panics
    ///
    /// As [`WatchdogBuilder::start`].
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Settings other than the default ones.
    pub fn builder() -> WatchdogBuilder {
        WatchdogBuilder { threshold: Duration::from_millis(500), runtime: None }
    }
}

/// Settings of a [`Watchdog`].
#[derive(Debug, Clone)]
#[must_use = "it watches only once it is started"]
pub struct WatchdogBuilder {
    threshold: Duration,
    runtime: Option<Handle>,
}

impl WatchdogBuilder {
    /// How long a worker may be blocked before it is reported. By default 500 ms.
    pub fn threshold(self, threshold: Duration) -> Self {
        Self { threshold, ..self }
    }

    /// Which runtime to watch. By default the current one.
    pub fn runtime(self, runtime: &Handle) -> Self {
        Self { runtime: Some(runtime.clone()), ..self }
    }

    /// Starts to watch, until the [`Watchdog`] is dropped or the runtime shuts down.
    ///
    /// # Panics
    ///
    /// If the threshold is zero; outside of a tokio runtime, unless one was given; where no thread can be started.
    pub fn start(self) -> Watchdog {
        assert!(!self.threshold.is_zero(), "a Watchdog with a threshold of zero would always bark");
        let runtime = self.runtime.unwrap_or_else(Handle::current);
        let (stop, stopped) = channel();
        let watch = Watch::new(self.threshold, runtime);
        thread::Builder::new().name("watchdog".to_owned()).spawn(move || watch.run(&stopped)).expect("a thread can be started");
        Watchdog { _stop: stop }
    }
}

/// What the thread keeps.
struct Watch {
    threshold: Duration,
    runtime: Handle,
    metrics: RuntimeMetrics,
    workers: Vec<Suspect>,
    probe: Option<Probe>,
}

impl Watch {
    fn new(threshold: Duration, runtime: Handle) -> Self {
        let metrics = runtime.metrics();
        let now = Instant::now();
        let workers =
            (0..metrics.num_workers()).map(|_| Suspect { signs: Signs::default(), since: now, reported: false }).collect();
        Self { threshold, runtime, metrics, workers, probe: None }
    }

    fn run(mut self, stopped: &Receiver<()>) {
        let interval = (self.threshold / 4).max(Duration::from_millis(1));
        while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
            if self.runtime_is_gone() {
                return;
            }
            self.look_at_workers();
            self.look_at_probe();
        }
    }

    /// Sends a probe, unless one is under way. A runtime that has shut down drops it.
    fn runtime_is_gone(&mut self) -> bool {
        if self.probe.as_ref().is_some_and(Probe::answered) {
            self.probe = None;
        }
        let probe = self.probe.get_or_insert_with(|| Probe::send(&self.runtime));
        probe.task.is_finished() && !probe.answered()
    }

    fn look_at_workers(&mut self) {
        let now = Instant::now();
        let count = self.workers.len();
        for (worker, suspect) in self.workers.iter_mut().enumerate() {
            let signs = Signs::of(&self.metrics, worker);
            if signs != suspect.signs {
                *suspect = Suspect { signs, since: now, reported: false };
            } else if !signs.asleep() && !suspect.reported && now - suspect.since >= self.threshold {
                suspect.reported = true;
                let message = format!("sees worker {} of {count} blocked by a task for {:?}", worker + 1, self.threshold);
                report(&message, &self.metrics);
            }
        }
    }

    fn look_at_probe(&mut self) {
        // Twice as long, so that a worker that is the reason has been found by then.
        let patience = self.threshold.saturating_mul(2);
        let blocked = self.workers.iter().any(|suspect| suspect.reported);
        if let Some(probe) = &mut self.probe
            && !probe.reported
            && !probe.answered()
            && probe.sent.elapsed() >= patience
        {
            probe.reported = true;
            // A blocked worker has been reported, and explains it.
            if !blocked {
                report(&format!("waits for a task of its own to be run for {patience:?}"), &self.metrics);
            }
        }
    }
}

#[cold]
fn report(message: &str, metrics: &RuntimeMetrics) {
    let (alive, queued) = (metrics.num_alive_tasks(), metrics.global_queue_depth());
    Report::new("Watchdog", ReportKind::Blocked, format!("{message} ({alive} tasks alive, {queued} in the global queue)")).send();
}

/// A task that does nothing, and how it fares.
struct Probe {
    sent: Instant,
    ran: Arc<AtomicBool>,
    task: JoinHandle<()>,
    reported: bool,
}

impl Probe {
    fn send(runtime: &Handle) -> Self {
        let ran = Arc::new(AtomicBool::new(false));
        let runs = Arc::clone(&ran);
        let task = runtime.spawn(async move { runs.store(true, Ordering::Release) });
        Self { sent: Instant::now(), ran, task, reported: false }
    }

    fn answered(&self) -> bool {
        self.ran.load(Ordering::Acquire)
    }
}

/// A worker, and since when it has given no other signs of life.
struct Suspect {
    signs: Signs,
    since: Instant,
    reported: bool,
}

/// What changes whenever a worker gets back to its scheduler.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Signs {
    /// Odd while it sleeps.
    parks: u64,
    /// Brought up to date with each round of its queue.
    busy: Duration,
}

impl Signs {
    #[cfg(target_has_atomic = "64")]
    fn of(metrics: &RuntimeMetrics, worker: usize) -> Self {
        Self { parks: metrics.worker_park_unpark_count(worker), busy: metrics.worker_total_busy_duration(worker) }
    }

    /// Without these metrics every worker counts as asleep, and the probe is all there is.
    #[cfg(not(target_has_atomic = "64"))]
    fn of(_: &RuntimeMetrics, _: usize) -> Self {
        Self { parks: 1, busy: Duration::ZERO }
    }

    fn asleep(self) -> bool {
        self.parks % 2 == 1
    }
}
