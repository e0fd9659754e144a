//! `attempt()` and `call_id()`: what an attempt knows of itself, wherever its work runs.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::RefCell;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join;
use futures::{FutureExt, poll};
use steadfast::{
    Attempt, CallId, async_cached, attempt, batched, call_id, finally, gather, hedge, offload_blocking, retry, run, shield, timeout,
};
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);

/// What the running code knows of itself.
type Seen = (u32, bool, CallId);

fn seen() -> Seen {
    (attempt().number(), attempt().is_last(), call_id())
}

/// What attempts have seen, also on other threads.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Seen>>>);

impl Log {
    fn note(&self) {
        self.0.lock().unwrap().push(seen());
    }

    /// The numbers, and whether each is the last.
    fn numbers(&self) -> Vec<(u32, bool)> {
        self.0.lock().unwrap().iter().map(|(number, is_last, _)| (*number, *is_last)).collect()
    }

    fn ids(&self) -> HashSet<CallId> {
        self.0.lock().unwrap().iter().map(|(.., id)| *id).collect()
    }

    /// Three attempts of one call, noted before and behind an await.
    fn assert_three(&self) {
        assert_eq!(self.numbers(), [(1, false), (1, false), (2, false), (2, false), (3, true), (3, true)]);
        assert_eq!(self.ids().len(), 1);
    }
}

/// Notes what it knows before and behind an await.
async fn work(log: &Log) {
    log.note();
    sleep(MS).await;
    log.note();
}

/// A body that fails.
async fn fail(log: &Log) -> Option<()> {
    work(log).await;
    None
}

#[track_caller]
fn assert_outside() {
    let (number, is_last, id) = seen();
    assert!(number == 1 && is_last && id != call_id(), "outside of any call, each id is a new one");
}

#[tokio::test(start_paused = true)]
async fn attempts_of_a_call_have_numbers_and_one_id() {
    #[retry(delay = 10ms)]
    async fn call(log: &Log) -> Option<()> {
        fail(log).await
    }
    let (first, second) = (Log::default(), Log::default());
    call(&first).await;
    assert_outside();
    call(&second).await;
    first.assert_three();
    second.assert_three();
    assert!(first.ids().is_disjoint(&second.ids()));
}

#[tokio::test(start_paused = true)]
async fn racers_of_a_call_have_numbers_and_one_id() {
    #[hedge(after = 10ms, max = 2)]
    async fn call(log: &Log) -> u32 {
        log.note();
        sleep(100 * MS).await;
        log.note();
        attempt().number()
    }
    let log = Log::default();
    assert_eq!(call(&log).await, 1);
    assert_eq!(log.numbers(), [(1, false), (2, false), (3, true), (1, false)]);
    assert_eq!(log.ids().len(), 1);
    assert_outside();
}

#[tokio::test(start_paused = true)]
async fn three_attempts_of_two_racers_are_one_call() {
    #[retry(delay = 10ms)]
    #[hedge(after = 10ms)]
    async fn racers_in_attempts(log: &Log) -> Option<()> {
        log.note();
        sleep(100 * MS).await;
        None
    }
    #[hedge(after = 10ms)]
    #[timeout(1s)]
    #[retry(delay = 0s)]
    async fn attempts_in_racers(log: &Log) -> Option<()> {
        fail(log).await
    }
    #[retry(delay = 10ms)]
    #[shield]
    #[hedge(after = 10ms)]
    async fn on_tasks(log: Log) -> Option<()> {
        log.note();
        sleep(100 * MS).await;
        None
    }
    let (first, second, third) = (Log::default(), Log::default(), Log::default());
    racers_in_attempts(&first).await;
    // The innermost one counts.
    assert_eq!(first.numbers(), [(1, false), (2, true)].repeat(3));
    assert_eq!(first.ids().len(), 1);
    attempts_in_racers(&second).await;
    assert_eq!(second.numbers().len(), 12);
    assert_eq!(second.ids().len(), 1);
    on_tasks(third.clone()).await;
    assert_eq!(third.numbers(), [(1, false), (2, true)].repeat(3));
    assert_eq!(third.ids().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_block_is_a_call_of_its_own() {
    let log = Log::default();
    let block = || run! { #[retry(delay = 10ms)] async || -> Option<()> { fail(&log).await } };
    block().await;
    log.assert_three();
    block().await;
    assert_eq!(log.ids().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_an_attempt_calls_is_part_of_it_unless_it_makes_attempts_itself() {
    #[timeout(1s)]
    async fn helper(log: &Log) -> Option<()> {
        fail(log).await
    }
    #[retry(attempts = 2, delay = 0s)]
    async fn inner(log: &Log) -> Option<()> {
        fail(log).await
    }
    #[retry(delay = 10ms)]
    async fn outer(helped: &Log, nested: &Log) -> Option<()> {
        let before = seen();
        inner(nested).await;
        assert_eq!(seen(), before);
        helper(helped).await
    }
    let (helped, nested) = (Log::default(), Log::default());
    outer(&helped, &nested).await;
    helped.assert_three();
    assert_eq!(nested.numbers(), [(1, false), (1, false), (2, true), (2, true)].repeat(3));
    assert_eq!(nested.ids().len(), 3);
    assert!(nested.ids().is_disjoint(&helped.ids()));
}

#[tokio::test(start_paused = true)]
async fn two_calls_in_one_task_do_not_see_each_other() {
    #[retry(delay = 10ms)]
    async fn call(log: &Log) -> Option<()> {
        fail(log).await
    }
    let (first, second) = (Log::default(), Log::default());
    join(join(call(&first), call(&second)), async {
        for _ in 0..40 {
            assert_outside();
            sleep(MS).await;
        }
    })
    .await;
    first.assert_three();
    second.assert_three();
    assert!(first.ids().is_disjoint(&second.ids()));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_kept_or_dropped_leaves_nothing_behind() {
    #[retry(delay = 10ms)]
    async fn call(log: &Log) -> Option<()> {
        fail(log).await
    }
    let (kept, dropped) = (Log::default(), Log::default());
    let mut kept_call = Box::pin(call(&kept));
    assert!(poll!(&mut kept_call).is_pending());
    assert_outside();
    let mut dropped_call = Box::pin(call(&dropped));
    assert!(poll!(&mut dropped_call).is_pending());
    drop(dropped_call);
    assert_outside();
    kept_call.await;
    kept.assert_three();
}

#[tokio::test(start_paused = true)]
async fn a_panic_leaves_nothing_behind() {
    #[retry]
    async fn panics() -> Option<()> {
        panic!("attempt {}", attempt().number());
    }
    #[retry(when = |()| panic!("attempt {}", attempt().number()))]
    async fn panics_in_a_callback() -> Option<()> {
        None
    }
    #[hedge(after = 10ms)]
    async fn panics_in_a_race() -> Option<()> {
        panic!("attempt {}", attempt().number());
    }
    for payload in [
        AssertUnwindSafe(panics()).catch_unwind().await.unwrap_err(),
        AssertUnwindSafe(panics_in_a_callback()).catch_unwind().await.unwrap_err(),
        AssertUnwindSafe(panics_in_a_race()).catch_unwind().await.unwrap_err(),
    ] {
        assert_eq!(payload.downcast_ref::<String>().unwrap(), "attempt 1");
        assert_outside();
    }
}

#[tokio::test(start_paused = true)]
async fn options_below_and_callbacks_are_part_of_the_attempt() {
    fn note<T>(log: &Log, value: T) -> T {
        log.note();
        value
    }
    #[retry(
        attempts = 2,
        delay = note(log, MS),
        when = |()| note(log, true),
        retry_after = |()| note(log, None),
        on_retry = |_| log.note(),
        gave_up = |_| log.note(),
        max_elapsed = note(log, 1s),
    )]
    #[timeout(MS * attempt().number() * 10)]
    async fn call(log: &Log, ran: &RefCell<Vec<Seen>>) -> Option<()> {
        ran.borrow_mut().push(seen());
        assert_eq!(steadfast::remaining(), Some(MS * attempt().number() * 10));
        None
    }
    #[retry(attempts = 2, failure = |()| note(log, true), delay = |event| note(log, MS * event.attempt()))]
    async fn any(log: &Log) {}
    let (log, ran) = (Log::default(), RefCell::default());
    call(&log, &ran).await;
    let attempts = |of: u32| log.numbers().iter().filter(|(number, _)| *number == of).count();
    // `when`, `retry_after`, `delay`, `max_elapsed`, `on_retry`; then `when`, `gave_up`.
    assert_eq!((attempts(1), attempts(2)), (5, 2), "{:?}", log.numbers());
    assert_eq!(log.ids(), ran.borrow().iter().map(|(.., id)| *id).collect());
    assert_eq!(log.ids().len(), 1);
    let log = Log::default();
    any(&log).await;
    assert_eq!(log.numbers(), [(1, false), (1, false), (2, true)]);
    assert_eq!(log.ids().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn async_callbacks_are_part_of_the_attempt() {
    #[retry(attempts = 2, on_retry = async |_| work(log).await, gave_up = async |_| work(log).await)]
    async fn call(log: &Log) -> Option<CallId> {
        log.note();
        None
    }
    let log = Log::default();
    call(&log).await;
    assert_eq!(log.numbers(), [(1, false), (1, false), (1, false), (2, true), (2, true), (2, true)]);
    assert_eq!(log.ids().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn work_on_other_tasks_and_threads_is_part_of_the_attempt() {
    #[retry(delay = 0s)]
    #[timeout(1s)]
    #[shield]
    async fn shielded(log: Log) -> Option<()> {
        fail(&log).await
    }
    #[retry(delay = 0s)]
    #[async_cached(detached, skip(log))]
    async fn detached(log: Log) -> Option<()> {
        fail(&log).await
    }
    #[retry(delay = 0s)]
    #[async_cached(ttl = 10ms, stale_while_revalidate = 1h, skip(log))]
    async fn refreshed(log: Log) -> Option<u8> {
        work(&log).await;
        Some(1)
    }
    #[retry(delay = 0s)]
    async fn gathered(log: Log) -> Option<()> {
        let child = log.clone();
        gather([async move { fail(&child).await }]).await;
        None
    }
    #[retry(delay = 0s)]
    async fn grouped(log: Log) -> Option<()> {
        let child = log.clone();
        steadfast::task_group(async |group| {
            group.spawn(async move {
                fail(&child).await;
                Ok::<_, ()>(())
            });
            Ok(())
        })
        .await
        .ok()?;
        None
    }
    #[retry(delay = 0s)]
    #[finally(work(&log))]
    async fn cleaned(log: Log) -> Option<()> {
        None
    }
    for log in [Log::default(), Log::default(), Log::default(), Log::default(), Log::default()].iter().enumerate() {
        match log {
            (0, log) => shielded(log.clone()).await,
            (1, log) => detached(log.clone()).await,
            (2, log) => gathered(log.clone()).await,
            (3, log) => grouped(log.clone()).await,
            (_, log) => cleaned(log.clone()).await,
        };
        log.1.assert_three();
        assert_outside();
    }
    let refresh = Log::default();
    refreshed(Log::default()).await;
    sleep(20 * MS).await;
    refreshed(refresh.clone()).await;
    sleep(20 * MS).await;
    assert_eq!(refresh.numbers(), [(1, false); 2]);
    assert_eq!(refresh.ids().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocking_code_is_part_of_the_attempt() {
    #[retry(delay = 0s)]
    #[timeout(60s)]
    #[offload_blocking]
    fn blocking(log: Log) -> Option<()> {
        log.note();
        log.note();
        None
    }
    #[retry(delay = 0s)]
    async fn closure(log: &Log) -> Option<()> {
        let log = log.clone();
        steadfast::offload(move || {
            log.note();
            log.note();
        })
        .await;
        None
    }
    static POOL: steadfast::BlockingPool = steadfast::BlockingPool::new("attempts", 1);
    #[retry(delay = 0s)]
    #[offload_blocking(pool = POOL)]
    fn on_a_pool(log: Log) -> Option<()> {
        log.note();
        log.note();
        None
    }
    #[offload_blocking(pool = POOL)]
    fn beside() -> Attempt {
        assert_outside();
        attempt()
    }
    let (first, second, third) = (Log::default(), Log::default(), Log::default());
    blocking(first.clone()).await;
    first.assert_three();
    closure(&second).await;
    second.assert_three();
    on_a_pool(third.clone()).await;
    third.assert_three();
    assert_eq!(beside().await.number(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_belongs_to_none_of_its_callers() {
    #[batched]
    async fn load(ids: Vec<u32>) -> Vec<Option<Seen>> {
        assert_outside();
        ids.iter().map(|_| None).collect()
    }
    #[retry(delay = 0s)]
    async fn call(id: u32) -> Option<Seen> {
        load(id).await
    }
    join(call(1), call(2)).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_of_the_program_is_no_part_of_the_attempt() {
    #[retry(delay = 0s)]
    async fn call() -> Option<()> {
        tokio::spawn(async { assert_outside() }).await.unwrap();
        None
    }
    call().await;
}

#[tokio::test(start_paused = true)]
async fn one_attempt_is_first_and_last() {
    #[retry(attempts = 1)]
    async fn call() -> Option<Attempt> {
        assert_eq!(call_id(), call_id());
        Some(attempt())
    }
    let only = call().await.unwrap();
    assert_eq!((only.number(), only.is_last()), (1, true));
}

#[test]
fn ids_are_random_uuids() {
    let ids: Vec<CallId> = (0..1_000).map(|_| call_id()).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1_000);
    let mut set_bits = 0;
    for id in &ids {
        let text = id.to_string();
        let parts: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{text}");
        assert!(text.as_bytes()[14] == b'4' && b"89ab".contains(&text.as_bytes()[19]), "{text}");
        assert_eq!(u128::from_str_radix(&text.replace('-', ""), 16), Ok(id.as_u128()));
        assert_eq!(format!("{id:?} {id:>40}"), format!("{text}     {text}"));
        set_bits += id.as_u128().count_ones();
    }
    // 122 random bits each, and two that are set: 63,000 on average, with a standard deviation of 175.
    assert!((62_000..64_000).contains(&set_bits), "{set_bits}");
}

#[test]
fn ids_of_threads_differ() {
    let ids = Mutex::new(HashSet::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // More than one block of numbers.
                let own: Vec<CallId> = (0..70_000).map(|_| call_id()).collect();
                ids.lock().unwrap().extend(own);
            });
        }
    });
    assert_eq!(ids.lock().unwrap().len(), 280_000);
}
