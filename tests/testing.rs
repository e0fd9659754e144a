//! `testing::cancel_at_every_await`: finds what a cancellation leaves half-done, and reports where.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use futures::FutureExt;
use steadfast::testing::cancel_at_every_await;
use steadfast::{gather, spawn_logged, task_group, try_gather, with_resource};
use tokio::sync::{Mutex, Notify, oneshot};
use tokio::task::yield_now;
use tokio::time::sleep;

/// Two accounts that hold 100 together, as long as every transfer is whole.
#[derive(Debug)]
struct Bank {
    from: AtomicU32,
    to: AtomicU32,
}

impl Bank {
    fn new() -> Arc<Self> {
        Arc::new(Self { from: AtomicU32::new(100), to: AtomicU32::new(0) })
    }

    fn debit(&self, amount: u32) {
        self.from.fetch_sub(amount, SeqCst);
    }

    fn credit(&self, amount: u32) {
        self.to.fetch_add(amount, SeqCst);
    }

    fn assert_whole(&self) {
        assert_eq!(self.from.load(SeqCst) + self.to.load(SeqCst), 100, "money is lost");
    }
}

async fn ledger() {
    sleep(Duration::from_millis(3)).await;
}

/// The planted fault: cancelled at its second await, the money is gone.
async fn half_done(bank: &Bank) {
    ledger().await;
    bank.debit(40);
    sleep(Duration::from_millis(5)).await; // THE AWAIT
    bank.credit(40);
    ledger().await;
}

fn line_of(mark: &str) -> usize {
    let lines = include_str!("testing.rs").lines();
    lines.enumerate().find(|(_, line)| line.ends_with(mark)).map(|(at, _)| at + 1).unwrap()
}

async fn message_of(test: impl Future<Output = usize>) -> String {
    let payload = AssertUnwindSafe(test).catch_unwind().await.unwrap_err();
    *payload.downcast::<String>().unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_finds_a_half_done_transfer_and_names_the_await() {
    let test = cancel_at_every_await(async || Bank::new(), async |bank| half_done(bank).await, async |bank| bank.assert_whole());
    let message = message_of(test).await;
    assert!(message.starts_with("the invariant does not hold when the operation is dropped at await 2 of 3 (tests/testing.rs:"));
    assert!(message.contains(&format!("tests/testing.rs:{}:", line_of("// THE AWAIT"))), "{message}");
    assert!(message.contains("money is lost"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn it_passes_on_a_transfer_that_does_not_wait_in_between() {
    let awaits = cancel_at_every_await(
        async || Bank::new(),
        async |bank| {
            ledger().await;
            bank.debit(40);
            bank.credit(40);
            ledger().await;
        },
        async |bank| bank.assert_whole(),
    );
    assert_eq!(awaits.await, 2);
}

#[tokio::test(start_paused = true)]
async fn it_passes_on_a_transfer_that_goes_on_in_the_background() {
    let awaits = cancel_at_every_await(
        async || Bank::new(),
        async |bank| {
            let (done, ended) = oneshot::channel::<()>();
            let bank = Arc::clone(bank);
            spawn_logged("transfer", async move {
                half_done(&bank).await;
                drop(done);
            });
            ended.await
        },
        async |bank| bank.assert_whole(),
    );
    assert_eq!(awaits.await, 1);
}

#[tokio::test(start_paused = true)]
async fn it_names_the_await_of_other_waits_than_sleeps() {
    let test = cancel_at_every_await(
        async || (Mutex::new(()), Cell::new(0)),
        async |(mutex, entered)| {
            let first = mutex.lock().await;
            entered.set(1);
            let blocked = Notify::new();
            tokio::select! {
                _second = mutex.lock() => {}
                () = async { sleep(Duration::from_millis(1)).await; blocked.notified().await } => {}
                () = sleep(Duration::from_millis(10)) => {}
            }
            entered.set(0);
            drop(first);
        },
        async |(_, entered)| assert_eq!(entered.get(), 0),
    );
    let message = message_of(test).await;
    assert!(message.contains("at await 1 of "), "{message}");
    assert!(message.contains("(tests/testing.rs:"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_await_that_shows_nothing_is_known_by_its_number() {
    let test = cancel_at_every_await(
        async || Bank::new(),
        async |bank| {
            bank.debit(1);
            yield_now().await;
            bank.credit(1);
        },
        async |bank| bank.assert_whole(),
    );
    let message = message_of(test).await;
    assert!(message.contains("at await 1 of 1: assertion"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn it_says_when_the_invariant_never_held() {
    let test = cancel_at_every_await(async || (), async |()| ledger().await, async |()| panic_in_invariant());
    assert_eq!(message_of(test).await, "the invariant does not hold even without cancellation: never");
}

fn panic_in_invariant() {
    panic!("never")
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_is_eager_is_caught_before_its_first_poll() {
    let eager = |bank: &mut Arc<Bank>| {
        bank.debit(1);
        let bank = Arc::clone(bank);
        async move {
            yield_now().await;
            bank.credit(1);
        }
    };
    let test = cancel_at_every_await(async || Bank::new(), eager, async |bank| bank.assert_whole());
    assert!(message_of(test).await.contains("dropped before its first poll"));
}

#[tokio::test]
async fn every_run_has_a_world_of_its_own() {
    let worlds = RefCell::new(Vec::new());
    let awaits = cancel_at_every_await(
        async || {
            worlds.borrow_mut().push(0);
            worlds.borrow().len() - 1
        },
        async |world| {
            for _ in 0..3 {
                worlds.borrow_mut()[*world] += 1;
                yield_now().await;
            }
        },
        async |_| {},
    )
    .await;
    assert_eq!((awaits, worlds.into_inner()), (3, vec![3, 0, 1, 2, 3]));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_operation_passes_through() {
    let test = cancel_at_every_await(
        async || 1,
        async |n| {
            yield_now().await;
            assert_eq!(*n, 2, "the operation's own");
        },
        async |_| {},
    );
    assert!(message_of(test).await.contains("the operation's own"));
}

#[tokio::test(start_paused = true)]
async fn with_resource_releases_wherever_it_is_cut() {
    #[derive(Default)]
    struct Balance {
        acquired: Arc<AtomicU32>,
        released: Arc<AtomicU32>,
    }
    let awaits = cancel_at_every_await(
        async || Balance::default(),
        async |balance| {
            let acquired = Arc::clone(&balance.acquired);
            let released = Arc::clone(&balance.released);
            let acquire = async {
                ledger().await;
                acquired.fetch_add(1, SeqCst);
                Ok::<_, String>(released)
            };
            let release = async |released: Arc<AtomicU32>, _| {
                ledger().await;
                released.fetch_add(1, SeqCst);
            };
            with_resource(
                acquire,
                async |_| {
                    ledger().await;
                    Ok(())
                },
                release,
            )
            .await
        },
        async |balance| assert_eq!(balance.acquired.load(SeqCst), balance.released.load(SeqCst)),
    );
    assert_eq!(awaits.await, 3);
}

#[tokio::test(start_paused = true)]
async fn gatherings_and_groups_leave_nothing_wherever_they_are_cut() {
    let runtime = tokio::runtime::Handle::current();
    let before = runtime.metrics().num_alive_tasks();
    let wait = async |n: u32| {
        sleep(Duration::from_millis(n.into())).await;
        if n == 7 { Err(n) } else { Ok(n) }
    };
    let nothing_left = async |(): &()| assert_eq!(runtime.metrics().num_alive_tasks(), before);
    let all = cancel_at_every_await(async || (), async |()| gather((1..6).map(wait)).limit(2).await, nothing_left).await;
    assert!(all >= 3, "{all}");
    let failing = cancel_at_every_await(async || (), async |()| try_gather((1..).map(wait)).limit(3).await, nothing_left).await;
    assert!(failing >= 3, "{failing}");
    let group = cancel_at_every_await(
        async || (),
        async |()| {
            task_group(async |g| {
                let child = g.spawn(wait(1));
                g.spawn(wait(5));
                let next = child.await + 1;
                g.spawn(wait(next)).await;
                g.spawn(wait(7)).await;
                Ok(())
            })
            .await
        },
        nothing_left,
    )
    .await;
    assert!(group >= 3, "{group}");
}

#[tokio::test]
async fn it_does_not_wait_for_what_another_runtime_runs() {
    let other = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let entered = other.enter();
    spawn_logged("another test's", std::future::pending::<()>());
    drop(entered);
    let start = std::time::Instant::now();
    let awaits = cancel_at_every_await(async || (), async |()| yield_now().await, async |()| {});
    assert_eq!(awaits.await, 1);
    assert!(start.elapsed() < Duration::from_secs(30), "not a minute for each cut");
    other.shutdown_background();
}
