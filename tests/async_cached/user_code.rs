//! User code that runs in the cache: what it may do, and that its panics leave the cache unchanged for other callers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LazyLock, mpsc};
use std::thread;

use super::*;

/// Which code of the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Hash,
    Eq,
    CloneKey,
    DropKey,
    CloneValue,
    DropValue,
    CloneError,
    DropError,
    Weight,
    Ttl,
    Evict,
    Predicate,
}

/// What does something once, and what that is.
type Hook = (At, fn());

thread_local! {
    static HOOK: Cell<Option<Hook>> = const { Cell::new(None) };
}

fn user_code(at: At) {
    if let Some((_, act)) = HOOK.get().filter(|(wanted, _)| *wanted == at) {
        HOOK.set(None);
        act();
    }
}

#[derive(Debug)]
struct Key(u32);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        user_code(At::Hash);
        self.0.hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        user_code(At::Eq);
        self.0 == other.0
    }
}

impl Eq for Key {}

macro_rules! cloned_and_dropped {
    ($($name:ident $clone:ident $drop:ident)*) => {$(
        impl Clone for $name {
            fn clone(&self) -> Self {
                user_code(At::$clone);
                Self(self.0)
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                user_code(At::$drop);
            }
        }
    )*};
}

#[derive(Debug)]
struct Value(u32);

#[derive(Debug)]
struct Fail(u32);

cloned_and_dropped! { Key CloneKey DropKey Value CloneValue DropValue Fail CloneError DropError }

fn ttl(_: &Value) -> Duration {
    user_code(At::Ttl);
    SECOND
}

type Values = Cache<Key, Value>;

static VALUES: LazyLock<Values> = LazyLock::new(|| {
    Cache::builder()
        .capacity(4)
        .weight(|_, _| {
            user_code(At::Weight);
            1
        })
        .ttl_of(ttl)
        .error_ttl(SECOND)
        .on_evict(|_, _, _| user_code(At::Evict))
        .build()
});

async fn load(key: u32) -> u32 {
    VALUES.get_or_load(Key(key), async || Value(key)).await.0
}

async fn fail(key: u32) -> u32 {
    VALUES.get_or_load(Key(key), async || Err::<Value, Fail>(Fail(key))).await.unwrap_err().0
}

/// Calls that wait for another: one that computes, one that waits, one that is dropped.
async fn wait(fails: bool) {
    let call = async || {
        let load = async || {
            tokio::task::yield_now().await;
            if fails { Err(Fail(50)) } else { Ok(Value(50)) }
        };
        VALUES.get_or_load(Key(50), load).await.is_ok()
    };
    let (leader, waiter, mut gone) = (call(), call(), Box::pin(call()));
    pin_mut!(leader, waiter);
    assert_eq!(poll_immediate(&mut leader).await, None);
    assert_eq!((poll_immediate(&mut waiter).await, poll_immediate(&mut gone).await), (None, None));
    drop(gone);
    assert_eq!(join!(leader, waiter), (!fails, !fails));
}

/// What can be done with a cache. Each finds entries, and leaves some.
async fn act(action: usize) -> Option<&'static str> {
    let name = match action {
        0 => {
            load(100).await;
            "a miss"
        }
        1 => {
            load(1).await;
            "a hit"
        }
        2 => {
            VALUES.insert(Key(1), Value(2));
            "an insertion"
        }
        3 => {
            for key in 10..20 {
                load(key).await;
            }
            "evictions"
        }
        4 => {
            VALUES.invalidate(&Key(1));
            "an invalidation"
        }
        5 => {
            VALUES.invalidate_if(|_, _| {
                user_code(At::Predicate);
                true
            });
            "a predicate"
        }
        6 => {
            VALUES.clear();
            "a clearing"
        }
        7 => {
            fail(30).await;
            fail(30).await;
            "a failure"
        }
        8 => {
            advance(2 * SECOND).await;
            VALUES.len();
            "expiries"
        }
        9 => {
            wait(false).await;
            "callers that wait"
        }
        10 => {
            wait(true).await;
            "callers that wait for a failure"
        }
        _ => return None,
    };
    Some(name)
}

/// Does everything with each hook, in a thread of its own: a deadlock is a failure, and no hang.
fn with_hooks(hooks: &'static [At], hook: fn(), expect_panics: bool) {
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        for at in hooks {
            let mut reached = 0;
            for action in 0.. {
                HOOK.set(None);
                VALUES.clear();
                runtime.block_on(async {
                    load(1).await;
                    load(2).await;
                    fail(3).await;
                });
                done.send(Err(format!("{at:?}, action {action}"))).unwrap();
                HOOK.set(Some((*at, hook)));
                let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(act(action))));
                let was_reached = HOOK.replace(None).is_none();
                reached += u32::from(was_reached);
                match outcome {
                    Ok(None) => break,
                    Ok(Some(name)) => assert!(!(expect_panics && was_reached), "{at:?} in {name} is swallowed"),
                    Err(_) => assert!(expect_panics && was_reached, "{at:?} in action {action} panics"),
                }
                // Whatever happened, the cache is as good as ever, and nothing is left of it.
                assert_eq!(VALUES.in_flight(), 0, "{at:?}, action {action}");
                for key in [1, 2, 30, 50, 100] {
                    VALUES.invalidate(&Key(key));
                    assert_eq!(runtime.block_on(load(key)), key, "{at:?}, action {action}");
                    assert_eq!(VALUES.get(&Key(key)).map(|value| value.0), Some(key), "{at:?}, action {action}");
                }
                assert!(VALUES.len() <= 4);
            }
            assert!(reached > 0, "{at:?} runs somewhere");
        }
        done.send(Ok(())).unwrap();
    });
    let mut last = String::new();
    loop {
        match is_done.recv_timeout(Duration::from_secs(60)) {
            Ok(Ok(())) => break,
            Ok(Err(step)) => last = step,
            Err(error) => panic!("{last}: {error}"),
        }
    }
}

#[test]
fn a_panic_leaves_the_cache_usable() {
    use At::{CloneError, CloneKey, CloneValue, DropError, DropKey, DropValue, Eq, Evict, Hash, Predicate, Ttl, Weight};
    with_hooks(
        &[Hash, Eq, CloneKey, DropKey, CloneValue, DropValue, CloneError, DropError, Weight, Ttl, Evict, Predicate],
        || panic!("the user's code"),
        true,
    );
    // One after another, since they share a cache.
    what_runs_under_no_lock_may_use_the_cache();
}

/// All but `Eq`, the `Clone` of values and errors, and the predicate of `invalidate_if`.
fn what_runs_under_no_lock_may_use_the_cache() {
    with_hooks(
        &[At::Hash, At::CloneKey, At::DropKey, At::DropValue, At::DropError, At::Weight, At::Ttl, At::Evict],
        || {
            // The key that is being worked on, and another.
            for key in [1, 50, 100, 200] {
                VALUES.insert(Key(key), Value(key));
                assert!(VALUES.get(&Key(key)).is_some());
                VALUES.invalidate(&Key(key));
            }
            VALUES.invalidate_if(|_, _| false);
            VALUES.invalidate_tag("none");
            VALUES.len();
            VALUES.clear();
        },
        false,
    );
}
