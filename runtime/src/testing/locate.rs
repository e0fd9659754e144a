//! Where in the source a future waits.
//!
//! A suspended future does not reveal this. But when it is polled with a different waker, the future it waits for drops the old one, right
//! there, below all the functions that await it. The old waker holds the last reference to a [`Probe`], whose destructor takes a backtrace.

use std::backtrace::Backtrace;
use std::env;
use std::future::{Future, poll_fn};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::contain::{catch, discard};

/// The file and line of the await at which `future` is pending for the `nth` time. The future must not be used afterwards.
pub(super) async fn nth_await<F: Future>(future: F, nth: usize) -> Option<String> {
    let mut future = pin!(future);
    let mut pending = 0;
    let backtrace = poll_fn(|cx| {
        let watch = Arc::new(Watch::default());
        let probe = Waker::from(Arc::new(Probe { caller: cx.waker().clone(), watch: Arc::clone(&watch) }));
        if future.as_mut().poll(&mut Context::from_waker(&probe)).is_ready() {
            return Poll::Ready(None);
        }
        pending += 1;
        if pending < nth {
            return Poll::Pending;
        }
        drop(probe);
        watch.set(Sight::Open);
        // It may continue after the await, and do anything there.
        if let Err(payload) = catch(|| future.as_mut().poll(cx).is_ready()) {
            discard(payload);
        }
        Poll::Ready(match watch.set(Sight::Closed) {
            Sight::Seen(backtrace) => Some(backtrace),
            Sight::Open | Sight::Closed => None,
        })
    })
    .await?;
    innermost(&backtrace.to_string())
}

/// The result of a probe.
#[derive(Default)]
struct Watch(Mutex<Sight>);

#[derive(Default)]
enum Sight {
    /// Not interested, yet or any more.
    #[default]
    Closed,
    Open,
    Seen(Backtrace),
}

impl Watch {
    fn set(&self, sight: Sight) -> Sight {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), sight)
    }
}

/// A waker that notices where it is dropped.
struct Probe {
    caller: Waker,
    watch: Arc<Watch>,
}

impl Wake for Probe {
    fn wake(self: Arc<Self>) {
        self.caller.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.caller.wake_by_ref();
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let mut sight = self.watch.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Sight::Open = *sight {
            *sight = Sight::Seen(Backtrace::force_capture());
        }
    }
}

/// The first line of a backtrace that is in code of the user's own.
fn innermost(backtrace: &str) -> Option<String> {
    let mut places = backtrace.lines().filter_map(|line| line.trim_start().strip_prefix("at "));
    places.find(|place| is_users(place)).map(|place| place.strip_prefix("./").unwrap_or(place).to_owned())
}

fn is_users(place: &str) -> bool {
    let elsewhere = ["/rustc/", "/rustlib/", "/.cargo/registry/", "/.cargo/git/"];
    !elsewhere.iter().any(|part| place.contains(part)) && !absolute(place).starts_with(own_sources())
}

/// A backtrace names the files below the working directory from there.
fn absolute(place: &str) -> PathBuf {
    env::current_dir().unwrap_or_default().join(place.strip_prefix("./").unwrap_or(place))
}

fn own_sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("runtime").join("src")
}
