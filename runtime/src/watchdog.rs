//! `Watchdog`: detects blocked worker threads of a runtime.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeMetrics};
use tokio::task::JoinHandle;

use crate::report::{Report, ReportKind};

/// Watches a runtime from a separate thread, and reports worker threads blocked by a task that does not yield.
///
/// ```
/// use std::time::Duration;
/// use steadfast::Watchdog;
///
/// # #[tokio::main] async fn main() {
/// // Watches until it is dropped.
/// let _watchdog = Watchdog::builder().threshold(Duration::from_millis(200)).start();
/// # }
/// ```
///
/// It only warns: each time a worker is blocked, it sends one [`Report`] of kind [`ReportKind::Blocked`]. It cannot name the task; put
/// [`warn_slow_poll`](macro@crate::warn_slow_poll) on suspected functions for that.
///
/// # How it works
///
/// Four times per threshold it reads Tokio's stable metrics: a worker that is awake, and has neither parked nor completed 61 polls for that
/// long, may be blocked. Many short polls look the same, so it also spawns probe tasks that do nothing: a worker that runs one is not blocked.
/// A block is reported once, after one to two thresholds.
///
/// The report says "blocked by a task" if another worker was parked all the time, which would have stolen the tasks behind short polls. If all
/// are busy, it says "blocked by a task, or overloaded": a worker that suddenly has many polls needs 31 to 127 of them to reach a new task,
/// and cannot be distinguished from a blocked one until then. Once it has reached one, polls of up to a quarter of the threshold for a whole
/// round of its queue are not taken for a block.
///
/// If a probe task has not run within twice the threshold although no worker looks blocked, the runtime is overloaded, which is reported as
/// such. Time is real time, not that of Tokio's paused clock.
///
/// It does not detect code that blocks for less than the threshold, nor the future that is passed to `block_on` of a multi-threaded runtime,
/// which runs outside of the workers. A current-thread runtime that is not being driven looks blocked.
///
/// It costs one sleeping thread and a few spawned tasks per second, plus up to two for each worker while all of them are busy.
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

    /// Configures a watchdog.
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
    /// How long a worker may be blocked before it is reported. Default: 500 ms.
    pub fn threshold(self, threshold: Duration) -> Self {
        Self { threshold, ..self }
    }

    /// The runtime to watch. Default: the current one.
    pub fn runtime(self, runtime: &Handle) -> Self {
        Self { runtime: Some(runtime.clone()), ..self }
    }

    /// Starts watching, until the [`Watchdog`] is dropped or the runtime shuts down.
    ///
    /// # Panics
    ///
    /// If the threshold is zero, outside of a Tokio runtime unless one was given, and if no thread can be started.
    pub fn start(self) -> Watchdog {
        assert!(!self.threshold.is_zero(), "`Watchdog` threshold must be greater than zero");
        let runtime = self.runtime.unwrap_or_else(Handle::current);
        let (stop, stopped) = channel();
        let watch = Watch::new(self.threshold, runtime);
        thread::Builder::new().name("watchdog".to_owned()).spawn(move || watch.run(&stopped)).expect("a thread can be started");
        Watchdog { _stop: stop }
    }
}

/// The state of the thread.
struct Watch {
    threshold: Duration,
    runtime: Handle,
    metrics: RuntimeMetrics,
    workers: Vec<WorkerState>,
    probe: Option<Probe>,
    roll: Roll,
}

impl Watch {
    fn new(threshold: Duration, runtime: Handle) -> Self {
        let metrics = runtime.metrics();
        let now = Instant::now();
        let workers = (0..metrics.num_workers()).map(|_| WorkerState::new(Progress::default(), now, 0)).collect();
        Self { threshold, runtime, metrics, workers, probe: None, roll: Roll::new(threshold) }
    }

    fn run(mut self, stopped: &Receiver<()>) {
        let interval = self.interval();
        loop {
            // First, because its tasks have less time than the probe.
            self.look_at_workers();
            if self.runtime_is_gone() {
                return;
            }
            self.look_at_probe();
            if stopped.recv_timeout(interval) != Err(RecvTimeoutError::Timeout) {
                return;
            }
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

    /// The time between two checks.
    fn interval(&self) -> Duration {
        (self.threshold / 4).max(Duration::from_millis(1))
    }

    fn look_at_workers(&mut self) {
        let now = Instant::now();
        let progress: Vec<_> = (0..self.workers.len()).map(|worker| Progress::of(&self.metrics, worker)).collect();
        let parks = progress.iter().map(|progress| progress.parks).sum();
        for (worker_state, &progress) in self.workers.iter_mut().zip(&progress) {
            if progress != worker_state.progress {
                *worker_state = WorkerState::new(progress, now, parks);
            }
        }
        // A parked worker takes each new task at once, so that none reaches a busy one.
        let all_awake = progress.iter().all(|progress| !progress.asleep());
        if all_awake {
            // A task that is taken by a worker that has one already ends at once: hence more than one for each.
            let count = self.workers.len();
            self.roll.call(&self.runtime, if count == 1 { 1 } else { 2 * count });
        }
        let interval = self.interval();
        let silent = self.workers.iter().filter(|worker_state| worker_state.is_silent(now, interval)).count();
        if silent == 0 {
            return;
        }
        // The workers that are not silent may be the ones that have answered.
        let answered = self.roll.answered_since(now.checked_sub(3 * interval).unwrap_or(now));
        let alive = answered.saturating_sub(self.workers.len() - silent);
        let reported = self.workers.iter().filter(|worker_state| worker_state.reported).count();
        self.judge(now, parks, silent.saturating_sub(alive + reported), all_awake);
    }

    /// Reports at most `blocked` of the workers that have been silent for too long, the longest first. The others have answered.
    fn judge(&mut self, now: Instant, parks: u64, blocked: usize, all_awake: bool) {
        let count = self.workers.len();
        let (interval, threshold) = (self.interval(), self.threshold);
        let mut overdue: Vec<_> = self.workers.iter_mut().enumerate().collect();
        overdue.retain(|(_, worker_state)| !worker_state.reported && worker_state.is_silent(now, threshold));
        overdue.sort_by_key(|(_, worker_state)| worker_state.since);
        for (index, (worker, worker_state)) in overdue.into_iter().enumerate() {
            if index >= blocked {
                worker_state.since = now;
                continue;
            }
            worker_state.reported = true;
            // What each task of this watchdog does to a parked worker: it wakes up, and parks again.
            let own_tasks = (now - worker_state.since).as_nanos() / interval.as_nanos() + 2;
            let others_slept = !all_awake && u128::from(parks.saturating_sub(worker_state.parks_of_all)) <= 2 * own_tasks;
            let what = if others_slept { "blocked by a task" } else { "blocked by a task, or overloaded," };
            report(&format!("sees worker {} of {count} {what} for {threshold:?}", worker + 1), &self.metrics);
        }
    }

    fn look_at_probe(&mut self) {
        // Twice as long, so that a blocked worker that is the cause has been found by then.
        let patience = self.threshold.saturating_mul(2);
        let blocked = self.workers.iter().any(|worker_state| worker_state.reported);
        if let Some(probe) = &mut self.probe
            && !probe.reported
            && !probe.answered()
            && probe.sent.elapsed() >= patience
        {
            probe.reported = true;
            // A blocked worker has been reported, and explains it.
            if !blocked {
                report(&format!("has waited {patience:?} for its probe task to run: the runtime is overloaded"), &self.metrics);
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

/// Tasks that find out which threads still process their queues.
struct Roll {
    answers: Arc<Mutex<Answers>>,
    /// The number of tasks, including those that wait for their first poll.
    tasks: Arc<AtomicUsize>,
    /// A round of a queue that takes no longer shows in Tokio's metrics in time.
    short: Duration,
    called: u64,
}

/// When each thread last ran a task, and which.
type Answers = HashMap<ThreadId, (Instant, u64)>;

impl Roll {
    fn new(threshold: Duration) -> Self {
        Self { answers: Arc::default(), tasks: Arc::default(), short: threshold / 64, called: 0 }
    }

    /// Ensures that there are this many tasks.
    fn call(&mut self, runtime: &Handle, tasks: usize) {
        for _ in self.tasks.load(Ordering::Acquire)..tasks {
            self.called += 1;
            drop(runtime.spawn(Roll::answer(Arc::clone(&self.answers), OneMore::new(&self.tasks), self.short, self.called)));
        }
    }

    /// Stays in the queue of a busy worker, so that each round of the queue is an answer: reaching a new task takes many rounds. One for each
    /// thread is enough.
    async fn answer(answers: Arc<Mutex<Answers>>, counted: OneMore, short: Duration, number: u64) {
        let mut last = None;
        poll_fn(|cx| {
            let now = Instant::now();
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            let of_thread = answers.entry(thread::current().id()).or_insert((now, number));
            let superfluous = of_thread.1 != number && now - of_thread.0 < short;
            if !superfluous {
                *of_thread = (now, number);
            }
            drop(answers);
            if superfluous || last.replace(now).is_some_and(|last| now - last < short) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        drop(counted);
    }

    /// How many threads have answered since then.
    fn answered_since(&self, then: Instant) -> usize {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|_, (at, _)| *at >= then);
        answers.len()
    }
}

/// Counts a task for as long as it exists.
struct OneMore(Arc<AtomicUsize>);

impl OneMore {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for OneMore {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A worker, and since when it has given no other signs of life.
struct WorkerState {
    progress: Progress,
    since: Instant,
    /// The number of times that all workers had parked or woken up by then.
    parks_of_all: u64,
    reported: bool,
}

impl WorkerState {
    fn new(progress: Progress, since: Instant, parks_of_all: u64) -> Self {
        Self { progress, since, parks_of_all, reported: false }
    }

    fn is_silent(&self, now: Instant, at_least: Duration) -> bool {
        !self.progress.asleep() && now - self.since >= at_least
    }
}

/// What changes whenever a worker gets back to its scheduler.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Progress {
    /// Odd while it is parked.
    parks: u64,
    /// Updated with each round of its queue.
    busy: Duration,
}

impl Progress {
    #[cfg(target_has_atomic = "64")]
    fn of(metrics: &RuntimeMetrics, worker: usize) -> Self {
        Self { parks: metrics.worker_park_unpark_count(worker), busy: metrics.worker_total_busy_duration(worker) }
    }

    /// Without these metrics every worker counts as parked, and only the probe remains.
    #[cfg(not(target_has_atomic = "64"))]
    fn of(_: &RuntimeMetrics, _: usize) -> Self {
        Self { parks: 1, busy: Duration::ZERO }
    }

    fn asleep(self) -> bool {
        self.parks % 2 == 1
    }
}
