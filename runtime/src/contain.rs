//! Running the user's code where its panic must not cost anybody else anything: on threads, workers and tasks that others depend on.

use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `code` and drops what it returns. A panic ends here, once the panic hook has told about it.
pub(crate) fn contain<R>(code: impl FnOnce() -> R) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(code()))) {
        // The destructor of the payload is user code as well. That of a second payload is not tried.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            forget(second);
        }
    }
}

/// Drops `value`; a panic of its destructor ends here.
pub(crate) fn discard<T>(value: T) {
    contain(|| value);
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
