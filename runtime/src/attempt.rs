//! What an attempt knows of itself: its number, and the id of its call.
//!
//! As with [deadlines](crate::deadline), this is set on the thread while an attempt is polled, and reset afterwards. Work that the attempt
//! waits for on another task or thread takes it along, see `inherit`.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

thread_local! {
    /// The attempt that is being polled on this thread.
    static CURRENT: Cell<Current> = const { Cell::new(Current::OUTSIDE) };
    /// The number of the latest call that began on this thread.
    static LATEST: Cell<u64> = const { Cell::new(0) };
}

/// One of the attempts of a call. See [`attempt()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    number: u32,
    is_last: bool,
}

impl Attempt {
    /// The number of the attempt, counted from 1. Those of a `hedge` are counted in the order in which they start.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Whether it is the last that `attempts` or `max` allows. A budget, a deadline, `max_elapsed`, or an error that `when` does not retry can
    /// end a call at an earlier attempt, which is known only after it has failed.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.is_last
    }
}

/// The attempt of the innermost `#[retry]` or `#[hedge]` that the running code is in, in whatever function that is.
///
/// Outside of both it is the first and the last: number 1, after which no other follows.
///
/// ```
/// use steadfast::{attempt, retry};
/// use std::time::Duration;
///
/// const REPLICAS: [&str; 2] = ["eu-1", "eu-2"];
///
/// async fn ask(replica: &str) -> Result<String, String> {
///     if replica == "eu-2" { Ok(replica.to_owned()) } else { Err(format!("{replica} is down")) }
/// }
///
/// #[retry(attempts = 4, delay = 10ms)]
/// #[steadfast::timeout(Duration::from_millis(200) * attempt().number())] // more patience with each attempt
/// async fn read() -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
///     let replica = REPLICAS[attempt().number() as usize % 2]; // another one each time
///     Ok(ask(replica).await?)
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// assert_eq!(read().await.unwrap(), "eu-2");
/// assert!(attempt().number() == 1 && attempt().is_last());
/// # }
/// ```
///
/// # Where it is known
///
/// In everything that runs below the attribute: the body, the functions that it calls, the options of the attributes below, and the callbacks of
/// the `retry` itself (`when`, `failure`, `retry_after`, `delay`, `on_retry`, `gave_up`), in which it is the attempt that has just ended. Work
/// that an attempt waits for on another task or thread is part of it: [`shield`](macro@crate::shield), a computation of
/// [`async_cached`](crate::async_cached) that is `detached` or refreshes an entry, [`offload_blocking`](crate::offload_blocking) and
/// [`offload()`](crate::offload()), [`gather()`](crate::gather()) and [`task_group`](crate::task_group), the cleanup of
/// [`finally`](macro@crate::finally) and [`with_resource`](crate::with_resource). Callers that share a computation see the attempt of the one
/// that started it.
///
/// Tasks that are spawned otherwise (`tokio::spawn`, [`spawn_logged`](crate::spawn_logged), a [`WorkerPool`](crate::WorkerPool)), batches and
/// destructors are outside of it: pass them the value.
#[must_use]
pub fn attempt() -> Attempt {
    let Current { number, following, .. } = CURRENT.get();
    Attempt { number, is_last: following == 0 }
}

/// The id of a call, which all of its attempts have in common. See [`call_id`].
///
/// 122 random bits, displayed as a UUID of version 4.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallId(u128);

impl CallId {
    /// The bits of the UUID.
    #[must_use]
    pub fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let text = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
        f.pad(&text)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The id that all attempts of a call have in common, of a `#[retry]` as of a `#[hedge]`: a key by which a server recognizes a request that it
/// has already processed.
///
/// ```
/// use steadfast::{call_id, retry};
/// use std::cell::RefCell;
///
/// /// Sends the header `Idempotency-Key`.
/// async fn post(sent: &RefCell<Vec<String>>) -> Option<()> {
///     sent.borrow_mut().push(call_id().to_string());
///     (sent.borrow().len() % 3 == 0).then_some(()) // the third attempt succeeds
/// }
///
/// #[retry]
/// async fn pay(sent: &RefCell<Vec<String>>) -> Option<()> {
///     post(sent).await
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let sent = RefCell::default();
/// pay(&sent).await;
/// pay(&sent).await;
/// let sent = sent.into_inner();
/// assert!(sent[0] == sent[1] && sent[1] == sent[2]); // one call
/// assert!(sent[3] == sent[5] && sent[3] != sent[0]); // the next one
/// # }
/// ```
///
/// # Which call
///
/// That of the innermost function or [`run!`](crate::run) with a `retry` or a `hedge`; if it has both, they are one call. A function with a `retry`
/// of its own that is called by an attempt therefore has an id of its own, and a new one in each attempt of its caller: if the whole is to be
/// processed once, ask for the id in the outer function, and pass it on.
///
/// It is known [where the attempt is](attempt#where-it-is-known). Outside of any call, each `call_id()` is a new id.
///
/// # Uniqueness
///
/// An id is derived from a counter by a keyed hash, the key of which is drawn at random for each process. Among a trillion ids, of however many
/// processes, the probability that any two are equal is about one in ten trillion. They are hard to guess, but no secrets: do not
/// authenticate by them. Nothing is computed or allocated for a call whose id is not requested.
#[must_use]
pub fn call_id() -> CallId {
    Call::current().id()
}

/// A call: what all of its attempts have in common. Numbered from 1; 0 is none.
#[derive(Debug, Clone, Copy)]
pub struct Call(u64);

/// A thread takes the numbers of this many calls at once, so that threads do not contend for the counter.
const BLOCK: u64 = 1 << 16;

impl Call {
    /// A new one.
    #[inline]
    pub(crate) fn new() -> Self {
        let mut number = LATEST.get() + 1;
        // Also on a thread that has had none yet.
        if number % BLOCK == 1 {
            number = Self::next_block();
        }
        LATEST.set(number);
        Self(number)
    }

    /// That of the running code; a new one if it is in none.
    #[must_use]
    pub fn current() -> Self {
        let Current { call, .. } = CURRENT.get();
        if call.0 == 0 { Self::new() } else { call }
    }

    #[cold]
    fn next_block() -> u64 {
        static BLOCKS: AtomicU64 = AtomicU64::new(0);
        BLOCKS.fetch_add(1, Ordering::Relaxed) * BLOCK + 1
    }

    fn id(self) -> CallId {
        /// Two, since a hash has 64 bits.
        static KEYS: OnceLock<[RandomState; 2]> = OnceLock::new();
        let keys = KEYS.get_or_init(|| [RandomState::new(), RandomState::new()]);
        // With the process, for the sake of those that are forked.
        let [high, low] = keys.each_ref().map(|key| u128::from(key.hash_one((self.0, process::id()))));
        let random = (high << 64) | low;
        // Version and variant of a random UUID.
        CallId(random & !(0xf << 76) & !(0b11 << 62) | (0x4 << 76) | (0b10 << 62))
    }
}

/// An attempt, and its call. Two words, which are copied at each poll.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Current {
    call: Call,
    number: u32,
    /// How many attempts may follow.
    following: u32,
}

impl Current {
    const OUTSIDE: Self = Self { call: Call(0), number: 1, following: 0 };

    /// An attempt of `call`, which `following` others may follow.
    #[inline]
    pub(crate) fn of(call: Call, number: u32, following: u32) -> Self {
        Self { call, number, following }
    }

    /// That of the running code.
    #[inline]
    pub(crate) fn get() -> Self {
        CURRENT.get()
    }

    /// Makes what runs on this thread part of the attempt, until the guard is dropped.
    #[inline]
    pub(crate) fn enter(self) -> Scope {
        Scope { outer: CURRENT.replace(self) }
    }

    /// Makes `future` part of the attempt.
    #[inline]
    pub(crate) fn within<F>(self, future: F) -> InAttempt<F> {
        InAttempt { attempt: self, future }
    }
}

/// See [`Current::enter`].
#[derive(Debug)]
pub(crate) struct Scope {
    outer: Current,
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        CURRENT.set(self.outer);
    }
}

pin_project! {
    /// See [`Current::within`].
    pub struct InAttempt<F> {
        attempt: Current,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for InAttempt<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _scope = this.attempt.enter();
        this.future.poll(cx)
    }
}
