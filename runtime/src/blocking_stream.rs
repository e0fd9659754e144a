//! `blocking_stream`: blocking code that yields items, as a stream.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::stream::{FusedStream, Stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::offload::job::{AbortOnDrop, Executor, Tokio};

/// Runs blocking code that produces items on tokio's blocking pool, and yields them as a `Stream`.
///
/// ```
/// use std::io::{self, BufRead};
/// use steadfast::{BlockingStream, blocking_stream};
///
/// fn lines(file: std::path::PathBuf) -> BlockingStream<String, io::Error> {
///     blocking_stream(64, move |tx| {
///         for line in io::BufReader::new(std::fs::File::open(file)?).lines() {
///             tx.send(line?)?; // waits while 64 lines are waiting; fails when nobody reads on
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
/// - `capacity`: how many items may wait. The one that the consumer took last counts until it asks for the next, so that, with the one
///   that the producer holds out, at most `capacity + 1` are alive (unless the consumer keeps them).
/// - `producer`: gets the sending end, and ends with a `Result`. It starts when the stream is first polled.
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
/// # Panics
///
/// If `capacity` is zero. A panic of the producer is resumed in the consumer, behind the items that were sent. Polling the stream
/// panics outside of a tokio runtime, and where the runtime shuts down before the producer could start.
pub fn blocking_stream<T, E, P>(capacity: usize, producer: P) -> BlockingStream<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
    P: FnOnce(BlockingSender<T>) -> Result<(), E> + Send + 'static,
{
    assert!(capacity > 0, "a `capacity` of 0: no item could ever pass");
    let places = Arc::new(Semaphore::new(capacity.min(Semaphore::MAX_PERMITS)));
    BlockingStream { state: State::Idle(Box::new(producer)), places, taken: None }
}

/// The items of a [`blocking_stream`], each a `Result`. A `Stream`; [`next`](Self::next) makes do without `StreamExt`.
#[must_use = "nothing runs before it is polled"]
pub struct BlockingStream<T, E> {
    state: State<T, E>,
    places: Arc<Semaphore>,
    /// The place of the item that was yielded last: whoever asks for the next is taken to be done with it.
    taken: Option<OwnedSemaphorePermit>,
}

type Producer<T, E> = Box<dyn FnOnce(BlockingSender<T>) -> Result<(), E> + Send>;

enum State<T, E> {
    Idle(Producer<T, E>),
    Running { items: UnboundedReceiver<Item<T>>, job: AbortOnDrop<Result<(), E>> },
    Ended,
}

/// An item in its place.
struct Item<T> {
    item: T,
    place: OwnedSemaphorePermit,
}

impl<T: Send + 'static, E: Send + 'static> State<T, E> {
    fn start(producer: Producer<T, E>, places: &Arc<Semaphore>) -> Self {
        let (sender, items) = unbounded_channel();
        let tx = BlockingSender { items: sender, places: Arc::clone(places), runtime: Handle::current() };
        Self::Running { items, job: Tokio.execute(move || producer(tx)) }
    }
}

impl<T: Send + 'static, E: Send + 'static> BlockingStream<T, E> {
    /// The next item; `None` after the last. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<T, E>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// What the producer ended with. A panic of it leaves the stream ended.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, E>>> {
        let State::Running { items, mut job } = std::mem::replace(&mut self.state, State::Ended) else { return Poll::Ready(None) };
        let Poll::Ready(ended) = Pin::new(&mut job).poll(cx) else {
            self.state = State::Running { items, job };
            return Poll::Pending;
        };
        let ended = ended.expect("the runtime runs until the producer of a `blocking_stream` could start");
        Poll::Ready(ended.err().map(Err))
    }
}

impl<T: Send + 'static, E: Send + 'static> Stream for BlockingStream<T, E> {
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.taken = None;
        if let State::Idle(_) = this.state
            && let State::Idle(producer) = std::mem::replace(&mut this.state, State::Ended)
        {
            this.state = State::start(producer, &this.places);
        }
        let State::Running { items, .. } = &mut this.state else { return Poll::Ready(None) };
        if let Some(Item { item, place }) = ready!(items.poll_recv(cx)) {
            this.taken = Some(place);
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

impl<T, E> Drop for BlockingStream<T, E> {
    fn drop(&mut self) {
        // Wakes a producer that waits for a place, and tells it that there will be none.
        self.places.close();
    }
}

impl<T, E> fmt::Debug for BlockingStream<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Idle(_) => "idle",
            State::Running { .. } => "running",
            State::Ended => "ended",
        };
        f.debug_struct("BlockingStream").field("state", &state).finish_non_exhaustive()
    }
}

/// The sending end of a [`blocking_stream`]. The stream ends when its producer has returned and this has been dropped.
pub struct BlockingSender<T> {
    items: UnboundedSender<Item<T>>,
    places: Arc<Semaphore>,
    runtime: Handle,
}

impl<T> BlockingSender<T> {
    /// Sends an item; blocks the thread until there is a place for it.
    ///
    /// # Errors
    ///
    /// [`ConsumerGone`] when the stream has been dropped: nobody will read on. It converts into `std::io::Error`, `anyhow::Error` and
    /// `Box<dyn Error + Send + Sync>`, so that a `?` ends the producer.
    ///
    /// # Panics
    ///
    /// On a thread that runs async tasks.
    pub fn send(&self, item: T) -> Result<(), ConsumerGone> {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_full_or_closed) => {
                let place = self.runtime.block_on(Arc::clone(&self.places).acquire_owned());
                place.map_err(|_closed| ConsumerGone(()))?
            }
        };
        self.items.send(Item { item, place }).map_err(|_closed| ConsumerGone(()))
    }
}

impl<T> fmt::Debug for BlockingSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingSender").finish_non_exhaustive()
    }
}

/// The stream of a [`BlockingSender`] has been dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerGone(());

impl fmt::Display for ConsumerGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream has been dropped: nobody reads on")
    }
}

impl Error for ConsumerGone {}

/// `BrokenPipe`.
impl From<ConsumerGone> for io::Error {
    fn from(gone: ConsumerGone) -> Self {
        Self::new(io::ErrorKind::BrokenPipe, gone)
    }
}
