//! Reports of failures without a caller.

use std::any::Any;
use std::fmt::{self, Debug, Display, Write as _};
use std::panic::resume_unwind;
use std::sync::{Arc, PoisonError, RwLock};

use crate::contain::{Payload, catch, contain, discard};

/// A failure without a caller to return it to: of a background task, of a release whose caller was dropped, of a job of a
/// [`WorkerPool`](crate::WorkerPool). Each is reported once, to the hook set by [`on_report`]; by default, as a line on stderr.
///
/// Its `Display` form is that line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    name: &'static str,
    kind: ReportKind,
    message: String,
}

/// The kind of a [`Report`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReportKind {
    /// It returned an error.
    Error,
    /// It panicked.
    Panic,
    /// It could not start or finish, because there was no runtime or the runtime shut down.
    Abandoned,
    /// It blocked a thread of the runtime for too long.
    Blocked,
    /// A setting has no effect on it, which is known only when it runs.
    Inert,
}

impl Report {
    pub(crate) fn new(name: &'static str, kind: ReportKind, message: impl Into<String>) -> Self {
        Self { name, kind, message: message.into() }
    }

    pub(crate) fn panic(name: &'static str, payload: &(dyn Any + Send)) -> Self {
        Self::new(name, ReportKind::Panic, panic_message(payload))
    }

    /// The name of what failed: the function's, or the one passed to [`spawn_logged`](crate::spawn_logged).
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> ReportKind {
        self.kind
    }

    /// The text of the error or the panic.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Passes the report to the hook. Never panics, so that it may be called in a destructor.
    #[cold]
    pub(crate) fn send(&self) {
        let hook = HOOK.read().unwrap_or_else(PoisonError::into_inner).clone();
        // A panicking hook or a closed stderr must not affect the program. The panic hook has printed the panic.
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

/// Reports a panic without a caller.
#[cold]
pub(crate) fn panicked(name: &'static str, payload: Payload) {
    Report::panic(name, &*payload).send();
    discard(payload);
}

/// A panic that is resumed later, or reported if the caller is dropped first.
pub(crate) struct PendingPanic {
    name: &'static str,
    payload: Option<Payload>,
}

impl PendingPanic {
    pub(crate) fn new(name: &'static str, payload: Payload) -> Self {
        Self { name, payload: Some(payload) }
    }

    /// Resumes it.
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

/// The text of a user's error. Unlike `to_string`, it never panics.
pub(crate) fn text(error: &(impl Display + ?Sized)) -> String {
    written("Display", |text| write!(text, "{error}"))
}

/// The same for an error that is only `Debug`.
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

/// The message of a panic, if it is a string.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "a panic without a message",
    }
}

type Hook = dyn Fn(&Report) + Send + Sync;

static HOOK: RwLock<Option<Arc<Hook>>> = RwLock::new(None);

/// Installs the process-wide hook for [`Report`]s, replacing the default (stderr) or the previous hook.
///
/// ```
/// steadfast::on_report(|report| tracing::error!("{report}"));
/// ```
///
/// The hook is called on the thread that detects the failure, usually a worker of the runtime, so it must not block. A panic of the hook is
/// caught.
pub fn on_report(hook: impl Fn(&Report) + Send + Sync + 'static) {
    let before = HOOK.write().unwrap_or_else(PoisonError::into_inner).replace(Arc::new(hook));
    // Dropped after the lock is released: its destructor is user code.
    drop(before);
}
