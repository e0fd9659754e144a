//! `circuit_breaker`.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use futures::FutureExt;
use steadfast::ErrorKind;
use tokio::time::Instant;

use super::{Context, Here, Out, State};
use crate::program::spec::When;

impl Here {
    pub(super) async fn breaker(
        self,
        context: Context,
        failures: u32,
        open_for: Duration,
        when: When,
        or_else: Option<bool>,
    ) -> Out {
        let State::Breaker(breaker) = self.state() else { unreachable!() };
        let admitted = breaker.borrow_mut().admit(open_for);
        let generation = match admitted {
            Ok(generation) => generation,
            Err(hint) => return Self::reject(&context, ErrorKind::CircuitOpen, hint, or_else),
        };
        let mut probe = Probe { breaker, generation, open_for, pending: true };
        let ended = AssertUnwindSafe(self.below(context.clone())).catch_unwind().await;
        probe.pending = false;
        let failed = ended.as_ref().map_or(true, |out| out.value.is_err() && self.counts(&context, when, out));
        breaker.borrow_mut().record(generation, failed, failures, open_for);
        ended.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

#[derive(Default)]
pub(super) struct Breaker {
    state: Circuit,
    /// What a call that was let through earlier comes to counts as nothing.
    generation: u64,
}

enum Circuit {
    Closed { in_a_row: u32 },
    Open { until: Instant },
    HalfOpen { probing_since: Option<Instant> },
}

impl Default for Circuit {
    fn default() -> Self {
        Self::Closed { in_a_row: 0 }
    }
}

impl Breaker {
    fn turn(&mut self, state: Circuit) {
        self.state = state;
        self.generation += 1;
    }

    fn admit(&mut self, open_for: Duration) -> Result<u64, Option<Duration>> {
        let now = Instant::now();
        // `probe_timeout` is `open_for`: the circuit is as open as if a timer had fired.
        if let Circuit::HalfOpen { probing_since: Some(since) } = self.state
            && now >= since + open_for
        {
            self.turn(Circuit::Open { until: since + open_for + open_for });
        }
        if let Circuit::Open { until } = self.state {
            if now < until {
                return Err(Some(until - now));
            }
            self.turn(Circuit::HalfOpen { probing_since: None });
        }
        match &mut self.state {
            Circuit::HalfOpen { probing_since: Some(since) } => return Err(Some(*since + open_for - now)),
            Circuit::HalfOpen { probing_since } => *probing_since = Some(now),
            _ => {}
        }
        Ok(self.generation)
    }

    fn record(&mut self, generation: u64, failed: bool, failures: u32, open_for: Duration) {
        let now = Instant::now();
        if generation != self.generation {
            return;
        }
        match &mut self.state {
            Circuit::Closed { in_a_row } if !failed => *in_a_row = 0,
            Circuit::Closed { in_a_row } => {
                *in_a_row += 1;
                if *in_a_row >= failures {
                    self.turn(Circuit::Open { until: now + open_for });
                }
            }
            Circuit::HalfOpen { probing_since: Some(since) } if now >= *since + open_for => {
                let until = *since + open_for + open_for;
                self.turn(Circuit::Open { until });
            }
            Circuit::HalfOpen { .. } if failed => self.turn(Circuit::Open { until: now + open_for }),
            Circuit::HalfOpen { .. } => self.turn(Circuit::Closed { in_a_row: 0 }),
            Circuit::Open { .. } => {}
        }
    }
}

/// A dropped probe gives its permit to the next call.
struct Probe<'a> {
    breaker: &'a RefCell<Breaker>,
    generation: u64,
    open_for: Duration,
    pending: bool,
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        let mut breaker = self.breaker.borrow_mut();
        if !self.pending || breaker.generation != self.generation {
            return;
        }
        if let Circuit::HalfOpen { probing_since } = &mut breaker.state
            && probing_since.is_some_and(|since| Instant::now() < since + self.open_for)
        {
            *probing_since = None;
        }
    }
}
