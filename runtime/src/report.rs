//! Where failures go that no caller is left to see.

use std::any::Any;
use std::fmt::{self, Debug, Display, Write as _};
use std::panic::resume_unwind;
use std::sync::{Arc, PoisonError, RwLock};

use crate::contain::{Payload, catch, contain, discard};

/// A failure that has no caller to return to: of a task in the background, of a release whose caller has gone, of a job of a
/// [`WorkerPool`](crate::WorkerPool). Each is reported once, to the hook that [`on_report`] sets, by default as a line on stderr.
///
/// Its `Display` form is that line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    name: &'static str,
    kind: ReportKind,
    message: String,
}

/// What a [`Report`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReportKind {
    /// It returned an error.
    Error,
    /// It panicked.
    Panic,
    /// It could not start, or could not end, because its runtime was not there or shut down.
    Abandoned,
    /// It held a thread of the runtime for too long.
    Blocked,
    /// A setting has no effect on it, which could be seen only when it ran.
    Inert,
}

impl Report {
    pub(crate) fn new(name: &'static str, kind: ReportKind, message: impl Into<String>) -> Self {
        Self { name, kind, message: message.into() }
    }

    pub(crate) fn panic(name: &'static str, payload: &(dyn Any + Send)) -> Self {
        Self::new(name, ReportKind::Panic, panic_message(payload))
    }

    /// The name of what failed: that of the function, or the one given to [`spawn_logged`](crate::spawn_logged).
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> ReportKind {
        self.kind
    }

    /// The error's own text, or the panic's.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Hands the report to the hook. Never panics, so that it may be called while something is being dropped.
    #[cold]
    pub(crate) fn send(&self) {
        let hook = HOOK.read().unwrap_or_else(PoisonError::into_inner).clone();
        // A hook that panics, or a stderr that is closed, must not take down what still works. The panic hook has told about it.
        contain(|| match hook {
            Some(hook) => hook(self),
            None => eprintln!("steadfast: {self}"),
        });
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, kind, message } = self;
        match kind {
            ReportKind::Error => write!(f, "`{name}` failed in the background: {message}"),
            ReportKind::Panic => write!(f, "`{name}` panicked in the background: {message}"),
            ReportKind::Abandoned | ReportKind::Blocked | ReportKind::Inert => write!(f, "`{name}` {message}"),
        }
    }
}

/// Reports a panic that no caller is left to see.
#[cold]
pub(crate) fn panicked(name: &'static str, payload: Payload) {
    Report::panic(name, &*payload).send();
    discard(payload);
}

/// A panic that is resumed later. Where the caller does not wait for that, it is reported.
pub(crate) struct PendingPanic {
    name: &'static str,
    payload: Option<Payload>,
}

impl PendingPanic {
    pub(crate) fn new(name: &'static str, payload: Payload) -> Self {
        Self { name, payload: Some(payload) }
    }

    /// Goes on with it.
    pub(crate) fn resume(mut self) -> ! {
        resume_unwind(self.payload.take().expect("it is resumed once"))
    }
}

impl Drop for PendingPanic {
    fn drop(&mut self) {
        if let Some(payload) = self.payload.take() {
            panicked(self.name, payload);
        }
    }
}

/// The text of a user's error. Never panics, as `to_string` does where the `Display` fails.
pub(crate) fn text(error: &(impl Display + ?Sized)) -> String {
    written("Display", |text| write!(text, "{error}"))
}

/// The same of an error that is no more than `Debug`.
pub(crate) fn debug_text(error: &(impl Debug + ?Sized)) -> String {
    written("Debug", |text| write!(text, "{error:?}"))
}

fn written(form: &str, write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    match catch(|| write(&mut text)) {
        Ok(Ok(())) => text,
        Ok(Err(fmt::Error)) if text.is_empty() => format!("an error whose `{form}` fails"),
        Ok(Err(fmt::Error)) => format!("{text}.. (its `{form}` fails)"),
        Err(payload) => {
            let text = format!("an error whose `{form}` panics: {}", panic_message(&*payload));
            discard(payload);
            text
        }
    }
}

/// What a panic says, where it says it in words.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "a panic without a message",
    }
}

type Hook = dyn Fn(&Report) + Send + Sync;

static HOOK: RwLock<Option<Arc<Hook>>> = RwLock::new(None);

/// Sends every [`Report`] of the process to `hook`, in place of stderr or of the hook before.
///
/// ```
/// steadfast::on_report(|report| tracing::error!("{report}"));
/// ```
///
/// The hook is called on the thread where the failure was found, which is most often one of the runtime's: it must not block. A
/// panic of the hook is caught.
pub fn on_report(hook: impl Fn(&Report) + Send + Sync + 'static) {
    let before = HOOK.write().unwrap_or_else(PoisonError::into_inner).replace(Arc::new(hook));
    // Only now that the lock is free: its destructor is the user's code.
    drop(before);
}
