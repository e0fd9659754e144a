//! `Keyed`: a policy for each key.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use steadfast::{CircuitBreaker, CircuitState, ConcurrencyLimiter, Keyed};
use tokio::time::advance;

const SECOND: Duration = Duration::from_secs(1);

fn breakers() -> CircuitBreaker {
    CircuitBreaker::new().failures(1).open_for(SECOND)
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_policy_of_its_own() {
    static HOSTS: Keyed<String, CircuitBreaker> = Keyed::new(breakers);
    HOSTS.of("down").permit().unwrap().failure();
    assert_eq!(HOSTS.of("down").state(), CircuitState::Open);
    assert_eq!(HOSTS.of(&"up".to_owned()).state(), CircuitState::Closed);
    let mut seen = Vec::new();
    HOSTS.for_each(|host, breaker| {
        // Back into the same map.
        assert_eq!(HOSTS.of(host).state(), breaker.state());
        seen.push((host.clone(), breaker.state()));
    });
    seen.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(seen, [("down".to_owned(), CircuitState::Open), ("up".to_owned(), CircuitState::Closed)]);
    assert!(!HOSTS.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_number_of_keys_is_bounded() {
    for max_keys in [1, 10, 1_000, 65_536] {
        let keyed = Keyed::<u64, CircuitBreaker>::new(breakers).max_keys(max_keys);
        let keys = if max_keys > 1_000 { 1_000_000 } else { 20_000 };
        for key in 0..keys {
            keyed.of(&key);
            if key % 1_000 == 0 {
                assert!(keyed.len() <= max_keys, "{} of {max_keys}", keyed.len());
            }
        }
        assert!(keyed.len() <= max_keys, "{} of {max_keys}", keyed.len());
    }
}

#[tokio::test(start_paused = true)]
async fn idle_ones_leave_first_and_an_open_one_not_before_its_time() {
    let keyed = Keyed::<u64, CircuitBreaker>::new(|| CircuitBreaker::new().failures(2).open_for(SECOND)).max_keys(100);
    for _ in 0..2 {
        keyed.of(&0).permit().unwrap().failure();
    }
    keyed.of(&1).permit().unwrap().failure();
    for key in 1_000..3_000 {
        keyed.of(&key);
    }
    assert_eq!(keyed.of(&0).state(), CircuitState::Open);
    assert_eq!(keyed.of(&1).metrics().failures, 1, "idle ones have made room for it");
    assert!(keyed.len() <= 100);
    // Only such that have counted something: the least recently used one leaves, and never the open one.
    for key in 10_000..13_000 {
        keyed.of(&key).permit().unwrap().failure();
        keyed.of(&1);
    }
    assert_eq!((keyed.of(&0).state(), keyed.of(&1).metrics().failures), (CircuitState::Open, 1));
    advance(SECOND).await;
    for key in 20_000..23_000 {
        keyed.of(&key).permit().unwrap().failure();
    }
    assert_eq!(keyed.of(&0).state(), CircuitState::Closed, "its time is over");
}

#[tokio::test(start_paused = true)]
async fn if_all_are_open_a_further_key_has_one_that_is_not_kept() {
    let keyed = Keyed::<u64, CircuitBreaker>::new(breakers).max_keys(50);
    for key in 0..10_000 {
        keyed.of(&key).permit().unwrap().failure();
    }
    assert_eq!(keyed.len(), 50);
    let mut open = 0;
    keyed.for_each(|_, breaker| open += u32::from(breaker.state() == CircuitState::Open));
    assert_eq!(open, 50);
    advance(SECOND).await;
    for key in 20_000..20_100 {
        keyed.of(&key);
    }
    let mut new = 0;
    keyed.for_each(|key, _| new += u32::from(*key >= 20_000));
    assert!(new > 0, "there is room again");
}

#[tokio::test]
async fn a_limit_in_use_stays() {
    let keyed = Keyed::<u64, ConcurrencyLimiter>::new(|| ConcurrencyLimiter::new(1)).max_keys(10);
    let limiter = keyed.of(&0);
    let permit = limiter.acquire().await;
    for key in 1..1_000 {
        drop(keyed.of(&key).try_acquire().unwrap());
    }
    assert!(keyed.of(&0).try_acquire().unwrap_err().is_saturated());
    drop(permit);
    assert!(keyed.of(&0).try_acquire().is_ok());
}

#[test]
fn a_look_up_by_a_borrowed_key_allocates_nothing() {
    let keyed = Keyed::<String, CircuitBreaker>::new(breakers);
    keyed.of("host");
    let allocated = allocation_counter::measure(|| assert_eq!(keyed.of("host").state(), CircuitState::Closed));
    assert_eq!(allocated.count_total, 0);
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

static NESTED: Keyed<Calls, CircuitBreaker> = Keyed::new(breakers).max_keys(4);

/// A key whose code uses the map that it is in.
#[derive(Clone, Debug)]
struct Calls(u64);

impl Calls {
    fn call_back() {
        if !INSIDE.replace(true) {
            NESTED.of(&Self(1_000));
            INSIDE.set(false);
        }
    }
}

impl Hash for Calls {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Self::call_back();
        (self.0 % 2).hash(state);
    }
}

impl PartialEq for Calls {
    fn eq(&self, other: &Self) -> bool {
        Self::call_back();
        self.0 == other.0
    }
}

impl Eq for Calls {}

impl Drop for Calls {
    fn drop(&mut self) {
        Self::call_back();
    }
}

#[test]
fn the_code_of_a_key_runs_under_no_lock() {
    for key in 0..100 {
        NESTED.of(&Calls(key));
    }
    assert!(NESTED.len() <= 4);
}
