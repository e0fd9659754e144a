//! Runs user code whose panic must not affect others: on threads, workers and tasks that others depend on.

use std::any::Any;
use std::future::Future;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

/// The payload of a panic.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs `code` and returns its panic.
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(code))
}

/// Drops `value` and returns the panic of its destructor.
pub(crate) fn drop_caught<T>(value: T) -> Result<(), Payload> {
    catch(|| drop(value))
}

/// Runs `code` and drops its result. A panic ends here, after the panic hook has printed it.
pub(crate) fn contain<R>(code: impl FnOnce() -> R) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(code()))) {
        // The destructor of the payload is user code as well. That of a second payload is not run.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            forget(second);
        }
    }
}

/// Drops `value`; a panic of its destructor ends here.
pub(crate) fn discard<T>(value: T) {
    contain(|| value);
}

pin_project! {
    /// A future whose polls are caught, and whose destructor runs as soon as it has ended, caught as well.
    pub(crate) struct Caught<F> {
        #[pin]
        future: Option<F>,
    }
}

impl<F> Caught<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future: Some(future) }
    }

    /// Drops the future, if it is still there.
    pub(crate) fn clear(self: Pin<&mut Self>) -> Result<(), Payload> {
        let mut future = self.project().future;
        catch(|| future.set(None))
    }
}

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, Payload>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = catch(|| self.as_mut().project().future.as_pin_mut().expect("it has not ended").poll(cx));
        let outcome = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(payload) => Err(payload),
        };
        // The first panic takes precedence.
        Poll::Ready(match (outcome, self.clear()) {
            (outcome, Ok(())) => outcome,
            (Ok(output), Err(payload)) => {
                discard(output);
                Err(payload)
            }
            (Err(payload), Err(second)) => {
                discard(second);
                Err(payload)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    #[test]
    fn neither_a_destructor_nor_a_payload_gets_out() {
        struct Bomb(u32);
        impl Drop for Bomb {
            fn drop(&mut self) {
                if self.0 > 0 {
                    panic_any(Self(self.0 - 1));
                }
            }
        }
        discard(Bomb(1));
        discard(Bomb(2));
        discard(Bomb(9));
        contain(|| panic_any(Bomb(3)));
    }
}
