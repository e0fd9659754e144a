//! What runs the layers below several times, or bounds them: `retry`, `hedge`, `fallback`, `timeout`, `cancellable`, `shield`.

use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use steadfast::ErrorKind;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{Context, Here, Out, Why};
use crate::program::spec::{Fallback, Retry};
use crate::program::world::{self, ms, option_left};

impl Here {
    // The body is polled before the clock is read. At the deadline, it is dropped before `or_else` runs.
    pub(super) async fn timeout(self, context: Context, limit: u64, or_else: Option<bool>) -> Out {
        self.evaluates(&context, "limit");
        let deadline = Instant::now() + ms(limit);
        let nearest = context.deadline.map_or(deadline, |outer| outer.min(deadline));
        let mut below = self.below(Context { deadline: Some(nearest), ..context.clone() });
        match timeout(ms(limit), &mut below).await {
            Ok(out) => out,
            // A panic reaches the caller once the cleanup of a `finally` has ended, even if the deadline has passed by then.
            Err(_) if context.panicking.get() => below.await,
            Err(_) => {
                drop(below);
                Self::reject(&context, ErrorKind::Timeout, None, or_else)
            }
        }
    }

    pub(super) async fn retry(self, context: Context, retry: Retry) -> Out {
        self.evaluates(&context, "attempts");
        let began = Instant::now();
        let mut wait = ms(retry.delay);
        for attempt in 1.. {
            let last = attempt == retry.attempts;
            // Arguments in `clone(..)` are cloned for each attempt but the last.
            let clones = if last { context.arguments.clone() } else { Rc::new(context.arguments.cloned(&retry.clones)) };
            let out = self.below(Context { arguments: clones, ..context.clone() }).await;
            // `when` is evaluated after each attempt that failed, the last one included.
            if out.value.is_ok() || !self.counts(&context, retry.when, &out) || last {
                return out;
            }
            let computed = retry.max_delay.map_or(wait, |most| wait.min(ms(most)));
            wait *= retry.factor;
            // The wait that the error asks for replaces the computed one.
            let asked = retry.asked.filter(|_| matches!(out.value, Err(Why::Application(_))));
            let computed = asked.map_or(computed, ms);
            // After a rejection that knows when to retry, the wait is at least that long.
            let this = out.hint.map_or(computed, |hint| hint.max(computed));
            let ends = Instant::now() + this;
            // No attempt starts later than `max_elapsed`, and no wait starts that would end later.
            let too_late = retry.max_elapsed.is_some_and(|most| ends > began + ms(most));
            // No wait starts that would not end before the deadline.
            if too_late || context.deadline.is_some_and(|deadline| ends >= deadline) {
                return out;
            }
            if retry.reports {
                option_left(context.call, &format!("again in {this:?}"), context.left());
            }
            if !this.is_zero() {
                sleep(this).await;
            }
        }
        unreachable!("an attempt is the last")
    }

    pub(super) async fn fallback(self, context: Context, fallback: Fallback) -> Out {
        let out = self.below(context.clone()).await;
        if out.value.is_ok() {
            return out;
        }
        context.may_begin().await;
        option_left(context.call, "fallback", context.left());
        if let Some(takes) = fallback.takes {
            sleep(ms(takes)).await;
            option_left(context.call, "fallback is there", context.left());
        }
        assert!(!fallback.panics, "fallback");
        if fallback.fails { Out { value: Err(Why::Application(8_002)), ..out } } else { Out { value: Ok(8_001), hint: None } }
    }

    pub(super) async fn hedge(self, context: Context, after: Duration, max: usize) -> Out {
        self.evaluates(&context, "after");
        let mut racers = FuturesUnordered::new();
        racers.push(self.below(context.clone()));
        let mut left = max;
        let mut next = Instant::now() + after;
        loop {
            let ended = tokio::select! {
                biased;
                Some(out) = racers.next() => Some(out),
                () = sleep_until(next), if left > 0 => None,
            };
            match ended {
                Some(out) if !self.model.is_failure(&out) => return out,
                // When all attempts have failed, the last failure is returned.
                Some(out) if left == 0 && racers.is_empty() => return out,
                // The next attempt starts at once after one that fails.
                Some(_) if left == 0 => continue,
                _ => {}
            }
            left -= 1;
            racers.push(self.below(context.clone()));
            next = Instant::now() + after;
        }
    }

    // Everything below runs on its own task. A deadline above bounds the caller, and not the work.
    pub(super) async fn shield(self, context: Context) -> Out {
        let task = spawn_local(self.below(context.on_another_task()));
        match task.await {
            Ok(out) => out,
            Err(error) => resume_unwind(error.into_panic()),
        }
    }

    pub(super) async fn cancellable(self, context: Context, cleanup: Option<u64>, or_else: Option<bool>) -> Out {
        self.evaluates(&context, "token");
        let token = world::token();
        // If the token is already cancelled, the body never starts.
        if !token.is_cancelled() {
            // A body that completes in the same poll in which the token is found cancelled has completed.
            let below = self.below(Context { cancellable: true, ..context.clone() });
            let ended = tokio::select! { biased; out = below => Some(out), () = token.cancelled() => None };
            if let Some(out) = ended {
                return out;
            }
        }
        if let Some(takes) = cleanup {
            option_left(context.call, "cancelled", context.left());
            sleep(ms(takes)).await;
            option_left(context.call, "cleaned", context.left());
        }
        Self::reject(&context, ErrorKind::Cancelled, None, or_else)
    }
}
