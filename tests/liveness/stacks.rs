//! Each attribute, and each pair of them in both orders: a call that makes no progress must not hold up another one.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use futures::FutureExt;
use steadfast::{CancellationToken, batched};
use tokio::sync::Notify;
use tokio::task::coop;
use tokio::time::{Instant, advance, sleep, timeout};

const MS: Duration = Duration::from_millis(1);

/// Within this time the other call has an outcome, be it a refusal.
const GETS_ON: Duration = Duration::from_secs(5);

/// What a body does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Ends,
    Sleeps,
    Hangs,
    /// Never waits for anything, and uses up the budget of its task each time it is polled.
    Greedy,
}

/// Ends what goes on without its caller.
static OVER: Notify = Notify::const_new();

async fn run(body: Body) -> Option<u32> {
    match body {
        Body::Ends => {}
        Body::Sleeps => sleep(50 * MS).await,
        Body::Hangs => OVER.notified().await,
        Body::Greedy => {
            let over = OVER.notified();
            tokio::pin!(over);
            while !over.as_mut().enable() {
                while coop::has_budget_remaining() {
                    coop::consume_budget().await;
                }
                // A paused clock stands while a task is ready to run.
                advance(MS).await;
            }
        }
    }
    Some(1)
}

fn block(body: Body) {
    if body == Body::Sleeps {
        std::thread::sleep(5 * MS);
    }
}

/// What becomes of the call that gets nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Its body hangs.
    Hangs,
    /// Its body hangs, and it is not polled.
    Kept,
    /// Its body has begun, and it is dropped.
    Dropped,
    /// Its body uses up the budget of its task.
    Greedy,
    /// It begins while another call runs, and is not polled again when that has ended.
    KeptBehind,
    /// The same, and the other one is dropped.
    KeptBehindDropped,
}

const MODES: [Mode; 6] = [Mode::Hangs, Mode::Kept, Mode::Dropped, Mode::Greedy, Mode::KeptBehind, Mode::KeptBehindDropped];

type Call = Pin<Box<dyn Future<Output = Option<u32>> + Send>>;

struct Stack {
    names: [&'static str; 2],
    call: fn(Body, u32) -> Call,
    blocking: bool,
}

/// Where the other call does not get on, which the page of the attribute says.
fn waits_for_it([above, below]: [&str; 2], mode: Mode) -> bool {
    // `shield`: what was started goes on without its caller, and is the one that the others wait for.
    if (above, below, mode) == ("shield", "coalesce", Mode::Dropped) {
        return true;
    }
    let hangs = matches!(mode, Mode::Hangs | Mode::Kept | Mode::Greedy);
    // `coalesce`: callers of one key wait for the one that runs. That ends by a deadline (of those who wait, or of the one that runs, as
    // long as it is polled), or because one waits for a permit as well, and no longer than it said.
    let ends = above == "timeout" || above == "concurrency_limit" || (below == "timeout" && mode != Mode::Kept);
    hangs && (above == "coalesce" || below == "coalesce") && !ends
}

fn poll_once(call: &mut Call) {
    let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}

/// How long it took the other call to get on, if it did.
async fn other(stack: &Stack, mode: Mode, key: u32) -> Option<Duration> {
    // A job may end at any time: a call may be polled once more than it takes.
    let call = |body| -> Call { Box::pin((stack.call)(body, key).fuse()) };
    let mut kept = Vec::new();
    let mut task = None;
    match mode {
        Mode::Hangs | Mode::Greedy => {
            task = Some(tokio::spawn(call(if mode == Mode::Hangs { Body::Hangs } else { Body::Greedy })));
            sleep(10 * MS).await;
        }
        Mode::Kept | Mode::Dropped => {
            let mut first = call(if stack.blocking { Body::Sleeps } else { Body::Hangs });
            poll_once(&mut first);
            tokio::task::yield_now().await;
            poll_once(&mut first);
            if mode == Mode::Kept {
                kept.push(first);
            }
        }
        Mode::KeptBehind | Mode::KeptBehindDropped => {
            let mut first = call(Body::Sleeps);
            poll_once(&mut first);
            tokio::task::yield_now().await;
            poll_once(&mut first);
            let mut behind = call(Body::Ends);
            poll_once(&mut behind);
            tokio::task::yield_now().await;
            if mode == Mode::KeptBehind {
                task = Some(tokio::spawn(first));
            } else {
                drop(first);
            }
            kept.push(behind);
        }
    }
    let started = Instant::now();
    let other = timeout(GETS_ON, tokio::spawn(call(Body::Ends))).await;
    let took = other.is_ok().then(|| started.elapsed());
    // A deadline above ends also what never waits.
    if mode == Mode::Greedy && stack.names[0] == "timeout" {
        let ended = timeout(GETS_ON, task.as_mut().expect("it was spawned")).await;
        assert!(ended.is_ok(), "{:?}", stack.names);
    }
    if let Some(task) = task.filter(|task| !task.is_finished()) {
        task.abort();
        let _ = task.await;
    }
    drop(kept);
    OVER.notify_waiters();
    sleep(MS).await;
    took
}

macro_rules! stacks {
    ($into:ident: $($name:ident [$($attribute:tt)*])*) => {
        stacks!(@each $into $([$name [$($attribute)*]])*);
    };
    (@each $into:ident) => {};
    (@each $into:ident [$name:ident $attribute:tt] $($rest:tt)*) => {
        stacks!(@stack $into $name "" $attribute []);
        stacks!(@blocking $into $name $attribute);
        stacks!(@pairs $into $name $attribute $($rest)*);
        stacks!(@each $into $($rest)*);
    };
    (@pairs $into:ident $name:ident $attribute:tt $([$other:ident $below:tt])*) => {
        $(
            stacks!(@stack $into $name (stringify!($other)) $attribute $below);
            stacks!(@stack $into $other (stringify!($name)) $below $attribute);
        )*
    };
    (@stack $into:ident $name:ident $other:tt [$($attribute:tt)*] $below:tt) => {
        stacks!(@push $into $name $other false [#[steadfast::$($attribute)*]] $below {
            async fn call(body: Body, key: u32) -> Option<u32> {
                let _ = key;
                run(body).await
            }
        });
    };
    (@blocking $into:ident $name:ident [$($attribute:tt)*]) => {
        stacks!(@push $into $name "offload_blocking" true [#[steadfast::$($attribute)*]] [offload_blocking(limit = 1)] {
            fn call(body: Body, key: u32) -> Option<u32> {
                let _ = key;
                block(body);
                Some(1)
            }
        });
    };
    (@push $into:ident $name:ident $other:tt $blocking:literal [$(#[$above:meta])*] [] {$($function:tt)*}) => {
        $into.push(Stack { names: [stringify!($name), $other], blocking: $blocking, call: {
            $(#[$above])*
            $($function)*
            |body, key| Box::pin(call(body, key))
        }});
    };
    (@push $into:ident $name:ident $other:tt $blocking:literal [$($above:tt)*] [$($below:tt)*] $function:tt) => {
        stacks!(@push $into $name $other $blocking [$($above)* #[steadfast::$($below)*]] [] $function);
    };
}

fn stacks() -> Vec<Stack> {
    let mut stacks = Vec::new();
    stacks! { stacks:
        timeout [timeout(400ms)]
        retry [retry(attempts = 2, delay = 10ms)]
        async_cached [async_cached(skip(body), load_timeout = 500ms)]
        coalesce [coalesce(skip(body))]
        circuit_breaker [circuit_breaker(failures = 1_000)]
        rate_limit [rate_limit(1_000 / 1s, burst = 1, max_wait = 1s)]
        concurrency_limit [concurrency_limit(1, max_wait = 1s)]
        hedge [hedge(after = 100ms)]
        fallback [fallback(7)]
        cancellable [cancellable(token = CancellationToken::new())]
        shield [shield]
        finally [finally(sleep(MS))]
        warn_slow_poll [warn_slow_poll(10s)]
    }
    stacks
}

#[tokio::test(start_paused = true)]
async fn no_call_keeps_another_one_from_getting_on() {
    let stacks = stacks();
    assert_eq!(stacks.len(), 13 + 13 * 12 + 13);
    let (mut key, mut wrong) = (0, Vec::new());
    for stack in &stacks {
        // A job that has started ends, or keeps its thread: there is nothing that could end it.
        for mode in MODES.into_iter().filter(|mode| !stack.blocking || !matches!(mode, Mode::Hangs | Mode::Greedy)) {
            key += 1;
            let took = other(stack, mode, key).await;
            if took.is_some() == waits_for_it(stack.names, mode) {
                wrong.push((stack.names, mode, took));
            }
        }
    }
    assert!(wrong.is_empty(), "{}: {wrong:#?}", wrong.len());
}

/// Callers of a batch have it run in a task of its own.
#[tokio::test(start_paused = true)]
async fn a_batch_goes_on_without_its_first_caller() {
    #[batched(max_batch_size = 10, delay = 10ms)]
    async fn load(ids: Vec<u32>) -> Vec<u32> {
        sleep(MS).await;
        ids
    }
    for dropped in [true, false] {
        let mut first: Pin<Box<dyn Future<Output = u32> + Send>> = Box::pin(load(1));
        let polled = first.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        let first = (!dropped).then_some(first);
        let started = Instant::now();
        assert_eq!(timeout(GETS_ON, load(2)).await, Ok(2));
        assert_eq!(started.elapsed(), 11 * MS);
        drop(first);
    }
}
