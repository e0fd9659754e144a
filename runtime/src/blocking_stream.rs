//! `blocking_stream`: a blocking producer as a stream.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use futures_util::stream::{FusedStream, Stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

use crate::offload::clock_hold::{Hold, spawn_without_hold};
use crate::offload::job::{Submitted, submit_job};

/// Runs a blocking producer on Tokio's blocking pool, and yields its items as a `Stream`.
///
/// ```
/// use std::io::{self, BufRead};
/// use steadfast::{BlockingStream, blocking_stream};
///
/// fn lines(file: std::path::PathBuf) -> BlockingStream<String, io::Error> {
///     blocking_stream(64, move |tx| {
///         for line in io::BufReader::new(std::fs::File::open(file)?).lines() {
///             tx.send(line?)?; // waits while 64 lines are buffered; fails if dropped
///         }
///         Ok(())
///     })
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> io::Result<()> {
/// let mut lines = lines("Cargo.toml".into());
/// let mut count = 0;
/// while let Some(line) = lines.next().await {
///     count += usize::from(!line?.is_empty());
/// }
/// # assert!(count > 0);
/// # Ok(()) }
/// ```
///
/// # Arguments
///
/// - `capacity`: the number of buffered items. The item that the consumer received last counts until it requests the next; together with the
///   one that the producer is sending, at most `capacity + 1` are alive (unless the consumer keeps them).
/// - `producer`: receives the sending end, and returns a `Result`. It starts when the stream is first polled.
///
/// # Errors
///
/// The producer's error is the last item of the stream.
///
/// # Cancel safety
///
/// A stream that is dropped before its producer has started never runs it. Later, the producer's next `send` fails, at once if it is
/// waiting; until then it runs on its thread, which cannot be interrupted, and what it returns is dropped. [`next`](BlockingStream::next)
/// is cancel safe: no item is lost.
///
/// A runtime that shuts down ends a producer that waits for its consumer: its `send` fails as if the stream had been dropped. A stream that
/// outlives the runtime still yields what was sent before, and then the producer's result.
///
/// # Paused clock
///
/// The producer works in real time, and a paused clock (`tokio::time::pause`) waits for it, except while the producer waits for the
/// consumer: one that sleeps between two items would wait forever. For that, with this crate's feature `test-util` and in a runtime of one
/// thread, it runs on a thread of its own and not on tokio's blocking pool.
///
/// # Panics
///
/// If `capacity` is zero. A panic of the producer is resumed in the consumer, after the items that were sent. Polling the stream panics outside
/// of a Tokio runtime, and if the runtime shuts down before the producer could start.
pub fn blocking_stream<T, E, P>(capacity: usize, producer: P) -> BlockingStream<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
    P: FnOnce(BlockingSender<T>) -> Result<(), E> + Send + 'static,
{
    assert!(capacity > 0, "`capacity` must be at least 1");
    BlockingStream { state: State::Idle { producer: Box::new(producer), capacity } }
}

/// The items of a [`blocking_stream`], each a `Result`. A `Stream`; [`next`](Self::next) works without `StreamExt`.
#[must_use = "nothing runs before it is polled"]
pub struct BlockingStream<T, E> {
    state: State<T, E>,
}

type Producer<T, E> = Box<dyn FnOnce(BlockingSender<T>) -> Result<(), E> + Send>;

enum State<T, E> {
    Idle { producer: Producer<T, E>, capacity: usize },
    Running(Running<T, E>),
    Ended,
}

struct Running<T, E> {
    items: UnboundedReceiver<T>,
    places: Arc<Places>,
    /// Whether an item was yielded: a request for the next one frees its slot.
    taken: bool,
    job: Submitted<Result<(), E>>,
}

impl<T: Send + 'static, E: Send + 'static> Running<T, E> {
    fn start(producer: Producer<T, E>, capacity: usize) -> Self {
        let runtime = Handle::current();
        let places = Arc::new(Places::new(capacity, runtime.clone()));
        let (sender, items) = unbounded_channel();
        let tx = BlockingSender { items: sender, places: Arc::clone(&places) };
        let (task, job) = submit_job(move || producer(tx), Producing::new(&places));
        spawn_without_hold(&runtime, || task.run());
        Self { items, places, taken: false, job }
    }
}

impl<T, E> Drop for Running<T, E> {
    fn drop(&mut self) {
        // Wakes a producer that waits for a slot, so that it fails.
        self.places.close();
    }
}

/// The slots for items that have been sent, and the threads that wait for one.
struct Places {
    line: Mutex<Line>,
    freed: Condvar,
    runtime: Handle,
}

struct Line {
    free: usize,
    /// The number of threads that wait for a slot.
    waiting: usize,
    /// The stream was dropped: no slot will become free.
    closed: bool,
    /// Whether the producer is running.
    producing: bool,
    hold: Option<Hold>,
    /// A task that closes the queue when the runtime drops it. Started once a thread has waited.
    sentinel: Option<AbortHandle>,
}

impl Places {
    fn new(capacity: usize, runtime: Handle) -> Self {
        let line = Line { free: capacity, waiting: 0, closed: false, producing: false, hold: None, sentinel: None };
        Self { line: Mutex::new(line), freed: Condvar::new(), runtime }
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a slot. `false`: the stream was dropped.
    fn enter(self: &Arc<Self>) -> bool {
        let mut line = self.lock();
        if line.must_wait() && line.sentinel.is_none() {
            drop(line);
            let close = CloseOnDrop(Arc::clone(self));
            let task = self.runtime.spawn(async move {
                let _close = close;
                std::future::pending::<()>().await;
            });
            line = self.lock();
            line.sentinel = Some(task.abort_handle());
        }
        while line.must_wait() {
            line.waiting += 1;
            line.hold_clock(&self.runtime);
            line = self.freed.wait(line).unwrap_or_else(PoisonError::into_inner);
            line.waiting -= 1;
            line.hold_clock(&self.runtime);
        }
        if line.closed {
            return false;
        }
        line.free -= 1;
        true
    }

    fn free(&self) {
        let mut line = self.lock();
        line.free += 1;
        // Before the waiting thread has woken up: the slot is its own.
        line.hold_clock(&self.runtime);
        drop(line);
        self.freed.notify_one();
    }

    fn close(&self) {
        let mut line = self.lock();
        line.closed = true;
        line.hold_clock(&self.runtime);
        let sentinel = line.sentinel.take();
        drop(line);
        self.freed.notify_all();
        if let Some(sentinel) = sentinel {
            sentinel.abort();
        }
    }
}

impl Line {
    fn must_wait(&self) -> bool {
        self.free == 0 && !self.closed
    }

    /// A paused clock waits for a producer, unless the producer waits for the consumer.
    fn hold_clock(&mut self, runtime: &Handle) {
        let works = self.producing && !(self.waiting > 0 && self.must_wait());
        if works != self.hold.is_some() {
            self.hold = works.then(|| Hold::on(runtime));
        }
    }
}

struct CloseOnDrop(Arc<Places>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A producer that has not returned.
struct Producing(Arc<Places>);

impl Producing {
    fn new(places: &Arc<Places>) -> Self {
        let producing = Self(Arc::clone(places));
        producing.set(true);
        producing
    }

    fn set(&self, producing: bool) {
        let mut line = self.0.lock();
        line.producing = producing;
        line.hold_clock(&self.0.runtime);
    }
}

impl Drop for Producing {
    fn drop(&mut self) {
        self.set(false);
    }
}

impl<T: Send + 'static, E: Send + 'static> BlockingStream<T, E> {
    /// The next item; `None` after the last. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<T, E>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The result of the producer. After its panic the stream has ended.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, E>>> {
        let State::Running(mut running) = std::mem::replace(&mut self.state, State::Ended) else { return Poll::Ready(None) };
        let Poll::Ready(ended) = Pin::new(&mut running.job).poll(cx) else {
            self.state = State::Running(running);
            return Poll::Pending;
        };
        let ended = ended.expect("the runtime shut down before the producer of a `blocking_stream` started");
        Poll::Ready(ended.err().map(Err))
    }
}

impl<T: Send + 'static, E: Send + 'static> Stream for BlockingStream<T, E> {
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let State::Idle { .. } = this.state
            && let State::Idle { producer, capacity } = std::mem::replace(&mut this.state, State::Ended)
        {
            this.state = State::Running(Running::start(producer, capacity));
        }
        let State::Running(running) = &mut this.state else { return Poll::Ready(None) };
        if std::mem::take(&mut running.taken) {
            running.places.free();
        }
        if let Some(item) = ready!(running.items.poll_recv(cx)) {
            running.taken = true;
            return Poll::Ready(Some(Ok(item)));
        }
        this.poll_end(cx)
    }
}

impl<T: Send + 'static, E: Send + 'static> FusedStream for BlockingStream<T, E> {
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Ended)
    }
}

// The items are moved through it, never pinned in it.
impl<T, E> Unpin for BlockingStream<T, E> {}

impl<T, E> fmt::Debug for BlockingStream<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Idle { .. } => "idle",
            State::Running(_) => "running",
            State::Ended => "ended",
        };
        f.debug_struct("BlockingStream").field("state", &state).finish_non_exhaustive()
    }
}

/// The sending end of a [`blocking_stream`]. The stream ends when its producer has returned and this has been dropped.
pub struct BlockingSender<T> {
    items: UnboundedSender<T>,
    places: Arc<Places>,
}

impl<T> BlockingSender<T> {
    /// Sends an item; blocks the thread until there is room for it.
    ///
    /// # Errors
    ///
    /// [`ConsumerGone`] if the stream was dropped, or its runtime shut down while this waited. It
    /// converts into `std::io::Error`, `anyhow::Error` and `Box<dyn Error + Send + Sync>`, so that a `?` ends the producer.
    ///
    /// # Panics
    ///
    /// On a thread that runs async tasks, even if there is room, so that a test with little data notices it as well.
    pub fn send(&self, item: T) -> Result<(), ConsumerGone> {
        // Only Tokio knows the kind of this thread, and panics if it must not block.
        self.places.runtime.block_on(std::future::ready(()));
        if !self.places.enter() {
            return Err(ConsumerGone(()));
        }
        self.items.send(item).map_err(|_closed| ConsumerGone(()))
    }
}

impl<T> Drop for BlockingSender<T> {
    fn drop(&mut self) {
        // No producer is left to wait for the consumer.
        let sentinel = self.places.lock().sentinel.take();
        if let Some(sentinel) = sentinel {
            sentinel.abort();
        }
    }
}

impl<T> fmt::Debug for BlockingSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingSender").finish_non_exhaustive()
    }
}

/// The stream of a [`BlockingSender`] was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerGone(());

impl fmt::Display for ConsumerGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the receiving stream was dropped")
    }
}

impl Error for ConsumerGone {}

/// `BrokenPipe`.
impl From<ConsumerGone> for io::Error {
    fn from(gone: ConsumerGone) -> Self {
        Self::new(io::ErrorKind::BrokenPipe, gone)
    }
}
