//! The latencies of a function's recent calls.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use crate::clock::nanos;
use crate::keyed::Retain;

/// The latencies of one function, per instantiation.
///
/// A `static` is shared by all instantiations of the function it is in. They are distinguished by the type of a closure written in
/// the function, which captures all type parameters in scope.
#[derive(Debug)]
pub struct Instances {
    percent: usize,
    /// The instantiation that is called first, usually the only one.
    first: OnceLock<(TypeId, Latencies)>,
    others: OnceLock<RwLock<HashMap<TypeId, &'static Latencies>>>,
}

impl Instances {
    /// No samples yet.
    #[must_use]
    pub const fn new(percent: usize) -> Self {
        Self { percent, first: OnceLock::new(), others: OnceLock::new() }
    }

    /// The latencies of the instantiation that wrote the closure.
    #[inline]
    pub fn of<I: Fn()>(&'static self, _instance: I) -> &'static Latencies {
        self.of_instance(typeid::of::<I>())
    }

    fn of_instance(&'static self, instance: TypeId) -> &'static Latencies {
        let (first, latencies) = self.first.get_or_init(|| (instance, Latencies::new(self.percent)));
        if *first == instance {
            return latencies;
        }
        let others = self.others.get_or_init(RwLock::default);
        if let Some(latencies) = others.read().unwrap_or_else(PoisonError::into_inner).get(&instance) {
            return latencies;
        }
        let mut others = others.write().unwrap_or_else(PoisonError::into_inner);
        others.entry(instance).or_insert_with(|| Box::leak(Box::new(Latencies::new(self.percent))))
    }
}

/// A percentile of the recent calls.
#[derive(Debug)]
pub struct Latencies {
    percent: usize,
    samples: [AtomicU64; SAMPLES],
    count: AtomicUsize,
    /// The percentile in nanoseconds; 0 while there are too few samples.
    percentile: AtomicU64,
}

const SAMPLES: usize = 256;

/// The minimum number of samples for an estimate.
const FEWEST: usize = 20;

/// The percentile is recomputed after this many calls.
const PERIOD: usize = 16;

impl Latencies {
    /// No samples yet.
    #[must_use]
    pub const fn new(percent: usize) -> Self {
        let samples = [const { AtomicU64::new(0) }; SAMPLES];
        Self { percent, samples, count: AtomicUsize::new(0), percentile: AtomicU64::new(0) }
    }

    /// The percentile, once there are enough samples.
    #[must_use]
    pub fn percentile(&self) -> Option<Duration> {
        Some(self.percentile.load(Ordering::Relaxed)).filter(|&nanos| nanos > 0).map(Duration::from_nanos)
    }

    /// Records the duration of a call.
    pub fn record(&self, elapsed: Duration) {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        self.samples[count % SAMPLES].store(nanos(elapsed).max(1), Ordering::Relaxed);
        let known = count + 1;
        if known == FEWEST || (known > FEWEST && known.is_multiple_of(PERIOD)) {
            self.compute(known.min(SAMPLES));
        }
    }

    #[cold]
    fn compute(&self, known: usize) {
        let mut samples: [u64; SAMPLES] = std::array::from_fn(|index| self.samples[index].load(Ordering::Relaxed));
        let rank = (known * self.percent).div_ceil(100).max(1);
        let (_, percentile, _) = samples[..known].select_nth_unstable(rank - 1);
        self.percentile.store(*percentile, Ordering::Relaxed);
    }
}

impl Retain for Latencies {
    fn retention(&self, _: u64) -> Option<u64> {
        Some(u64::from(self.count.load(Ordering::Relaxed) > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_percentile_of_the_last_calls() {
        let latencies = Latencies::new(95);
        for millis in 1..=19 {
            latencies.record(Duration::from_millis(millis));
        }
        assert_eq!(latencies.percentile(), None);
        latencies.record(Duration::from_millis(20));
        assert_eq!(latencies.percentile(), Some(Duration::from_millis(19)));
        for millis in 1..=512 {
            latencies.record(Duration::from_millis(1_000 + millis % 256));
        }
        assert_eq!(latencies.percentile(), Some(Duration::from_millis(1_243)));
    }
}
