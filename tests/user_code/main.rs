//! All places where user code runs within the library: `Clone`, `Drop`, `Eq`, `Hash`, `Display`, `Debug`, `Error::source`, wakers,
//! iterators and closures.
//!
//! Each row of the table below is a way to use the library, and a kind of user code. It runs once to count how often that code is
//! called, and then twice for each of these calls: once the code calls back into the same object (like a `Drop` that logs through a
//! cached function), and once it panics. Neither may deadlock, a callback must not affect others, and a panic must only affect the
//! caller or task that owns the code.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

mod background;
mod helpers;
mod policies;
mod stored;

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::future::{Future, poll_fn};
use std::hash::{Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);

/// Longer than anything takes, on a clock that is paused.
const HOUR: Duration = Duration::from_secs(3600);

/// A kind of user code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Clone,
    /// Of a value or an error that others are given, too.
    CloneShared,
    Drop,
    Eq,
    Hash,
    Display,
    Debug,
    Source,
    Closure,
    Iterator,
    Wake,
    WakerDrop,
}

/// What it does at the chosen moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    CallBack,
    Panic,
}

/// Both of them.
const BOTH: &[Deed] = &[Deed::CallBack, Deed::Panic];

/// For code that may not use the object, by its page.
const PANIC: &[Deed] = &[Deed::Panic];

/// For code whose panic is already somebody else's.
const CALL_BACK: &[Deed] = &[Deed::CallBack];

/// What one attempt does with user code.
struct Script {
    code: Code,
    /// At which of its calls something is done.
    at: Option<usize>,
    deed: Deed,
    call_back: fn(u32),
    /// No other attempt has it: keys are made of it.
    run: u32,
    calls: AtomicUsize,
    armed: AtomicBool,
}

/// What the panics carry.
struct Injected;

impl Script {
    /// The user's code is called.
    fn hit(&self, code: Code) {
        if code != self.code || !self.armed.load(SeqCst) {
            return;
        }
        let call = self.calls.fetch_add(1, SeqCst);
        // A second panic would abort the process, whoever makes it.
        if self.at == Some(call) && !(self.deed == Deed::Panic && thread::panicking()) {
            self.armed.store(false, SeqCst);
            match self.deed {
                Deed::CallBack => (self.call_back)(self.run),
                Deed::Panic => std::panic::panic_any(Injected),
            }
        }
    }

    /// A value of the user's: a key, a value, an error, an argument.
    fn probe(self: &Arc<Self>, n: u32) -> Probe {
        Probe { n, script: Some(Arc::clone(self)), shared: false }
    }
}

/// A value whose every implementation is user code. Of the callbacks' own, nothing is counted.
struct Probe {
    n: u32,
    script: Option<Arc<Script>>,
    /// A value or an error that others are given, too.
    shared: bool,
}

impl Probe {
    fn quiet(n: u32) -> Self {
        Self { n, script: None, shared: false }
    }

    /// A copy that is not the user's `Clone`.
    fn copy(&self) -> Self {
        Self { n: self.n, script: self.script.clone(), shared: self.shared }
    }

    /// The same as a value or an error that others are given, too.
    fn to_share(&self) -> Self {
        Self { n: self.n, script: self.script.clone(), shared: true }
    }

    fn hit(&self, code: Code) {
        if let Some(script) = &self.script {
            script.hit(code);
        }
    }
}

impl Clone for Probe {
    fn clone(&self) -> Self {
        self.hit(if self.shared { Code::CloneShared } else { Code::Clone });
        self.copy()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.hit(Code::Drop);
    }
}

impl PartialEq for Probe {
    fn eq(&self, other: &Self) -> bool {
        self.hit(Code::Eq);
        self.n == other.n
    }
}

impl Eq for Probe {}

impl Hash for Probe {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hit(Code::Hash);
        self.n.hash(state);
    }
}

impl Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hit(Code::Display);
        write!(f, "probe {}", self.n)
    }
}

impl Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hit(Code::Debug);
        write!(f, "Probe({})", self.n)
    }
}

impl Error for Probe {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.hit(Code::Source);
        None
    }
}

impl From<steadfast::Error> for Probe {
    fn from(_: steadfast::Error) -> Self {
        Self::quiet(u32::MAX)
    }
}

/// A waker of the user's.
struct UserWaker {
    inner: Waker,
    script: Arc<Script>,
}

impl Wake for UserWaker {
    fn wake(self: Arc<Self>) {
        self.inner.wake_by_ref();
        self.script.hit(Code::Wake);
    }
}

impl Drop for UserWaker {
    fn drop(&mut self) {
        self.script.hit(Code::WakerDrop);
    }
}

/// Awaits `future` with wakers of the user's, another one for each poll, and some polls that nothing asked for.
async fn awaited<F: Future>(script: &Arc<Script>, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut extra = 3;
    poll_fn(|cx| {
        let waker = Waker::from(Arc::new(UserWaker { inner: cx.waker().clone(), script: Arc::clone(script) }));
        let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
        if poll.is_pending() && extra > 0 {
            extra -= 1;
            cx.waker().wake_by_ref();
        }
        poll
    })
    .await
}

/// A caller: on a task of its own, and content with what it gets, or not.
fn caller(call: impl Future<Output = bool> + Send + 'static) -> JoinHandle<bool> {
    tokio::spawn(call)
}

/// How many were not.
async fn disappointed(callers: impl IntoIterator<Item = JoinHandle<bool>>) -> usize {
    let mut count = 0;
    for caller in callers {
        let outcome = timeout(HOUR, caller).await.expect("a caller hangs");
        count += usize::from(!outcome.unwrap_or(false));
    }
    count
}

/// Polls once what a callback begins, and leaves it.
fn touch(future: impl Future) {
    drop(future.now_or_never());
}

type Pending<T> = Pin<Box<dyn Future<Output = T>>>;

/// A way to use the library.
struct Subject {
    /// Uses it, and says how many callers were disappointed.
    scenario: fn(Arc<Script>) -> Pending<usize>,
    /// Uses it from within user code.
    call_back: fn(u32),
    /// Checks that it works as if nothing had been.
    healthy: fn(u32) -> Pending<()>,
}

/// One attempt, on a thread of its own: how often the code was called.
fn attempt(subject: &Subject, code: Code, at: Option<usize>, deed: Deed) -> usize {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = u32::try_from(RUNS.fetch_add(10, SeqCst)).unwrap();
    let script = Arc::new(Script {
        code,
        at,
        deed,
        call_back: subject.call_back,
        run,
        calls: AtomicUsize::new(0),
        armed: AtomicBool::new(true),
    });
    let &Subject { scenario, healthy, .. } = subject;
    let (done, outcome) = mpsc::channel();
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let disappointed = runtime.block_on(async {
            let scenario = AssertUnwindSafe(timeout(24 * HOUR, scenario(Arc::clone(&script)))).catch_unwind();
            let disappointed = scenario.await.map_or(1, |scenario| scenario.expect("it hangs"));
            script.armed.store(false, SeqCst);
            timeout(24 * HOUR, healthy(run)).await.expect("it hangs afterwards");
            disappointed
        });
        drop(runtime);
        done.send((disappointed, script.calls.load(SeqCst))).unwrap();
    });
    let moment = format!("{code:?}, call {at:?}, {deed:?}");
    match outcome.recv_timeout(Duration::from_secs(30)) {
        Ok((disappointed, calls)) => {
            let allowed = usize::from(at.is_some() && deed == Deed::Panic);
            assert!(disappointed <= allowed, "{moment}: {disappointed} disappointed, and no more than {allowed} may be");
            calls
        }
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{moment}: a deadlock"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let payload = thread.join().unwrap_err();
            let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
            panic!("{moment}: {}", text.unwrap_or("an injected panic got out"));
        }
    }
}

/// A row of the table.
fn row(subject: &Subject, code: Code, deeds: &[Deed]) {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Injected>() {
                told(info);
            }
        }));
        steadfast::on_report(|report| REPORTS.lock().unwrap().push(report.clone()));
    });
    // On a fast pool a job may have ended before its caller asks to be woken.
    let calls = (0..50).map(|_| attempt(subject, code, None, Deed::CallBack)).find(|calls| *calls > 0);
    let calls = calls.unwrap_or_else(|| panic!("no {code:?} of the user's is called"));
    for at in 0..calls {
        for &deed in deeds {
            attempt(subject, code, Some(at), deed);
        }
    }
}

/// What was reported by all of them.
static REPORTS: Mutex<Vec<steadfast::Report>> = Mutex::new(Vec::new());

/// Rows of a subject: `name: Code, deeds;`.
macro_rules! rows {
    ($subject:expr; $($name:ident: $code:ident $deeds:ident;)*) => {$(
        #[test]
        fn $name() {
            crate::row(&$subject, crate::Code::$code, crate::$deeds);
        }
    )*};
}
pub(crate) use rows;

/// Ready at the second poll.
async fn breathe() {
    let mut first = true;
    poll_fn(|cx| {
        if std::mem::take(&mut first) {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}
