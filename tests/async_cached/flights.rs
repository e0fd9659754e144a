//! Who computes, and who waits.

use super::*;

#[derive(Debug, Clone, PartialEq)]
struct Shared(usize);

#[derive(Debug, PartialEq)]
struct NotClone(usize);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_of_a_cold_key_run_the_body_once() {
    static RUNS: Runs = Runs::new();
    static GATE: Semaphore = Semaphore::const_new(0);
    #[async_cached(handle = loads)]
    async fn load(id: u32) -> u32 {
        RUNS.add();
        let _ = GATE.acquire().await;
        id + 1
    }
    let callers: Vec<_> = (0..1_000).map(|_| tokio::spawn(load(1))).collect();
    while loads().stats().coalesced < 999 {
        tokio::task::yield_now().await;
    }
    GATE.add_permits(1_000);
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 2);
    }
    assert_eq!(RUNS.get(), 1);
    let stats = loads().stats();
    assert_eq!((stats.misses, stats.loads, stats.coalesced, stats.hits), (1_000, 1, 999, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_with_all_who_wait() {
    static RUNS: Runs = Runs::new();
    #[async_cached(handle = loads)]
    async fn load(id: u32) -> Result<u32, Shared> {
        sleep(SECOND).await;
        let _ = id;
        Err(Shared(RUNS.add()))
    }
    let outcomes = join_all((0..1_000).map(|_| load(1))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Err(Shared(1))));
    assert_eq!(RUNS.get(), 1);
    assert_eq!(loads().stats().load_errors, 1);
    assert_eq!(load(1).await, Err(Shared(2)));
    assert!(loads().is_empty());
}

#[tokio::test(start_paused = true)]
async fn none_is_shared_and_not_stored() {
    static RUNS: Runs = Runs::new();
    #[async_cached]
    async fn load(id: u32) -> Option<u32> {
        sleep(SECOND).await;
        let _ = id;
        RUNS.add();
        None
    }
    assert!(join_all((0..100).map(|_| load(1))).await.iter().all(Option::is_none));
    assert_eq!(RUNS.get(), 1);
    load(1).await;
    assert_eq!(RUNS.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_cannot_be_cloned_is_its_callers_own() {
    static RUNS: Runs = Runs::new();
    #[async_cached]
    async fn load(id: u32) -> Result<u32, NotClone> {
        sleep(SECOND).await;
        match RUNS.add() {
            run @ 1..=2 => Err(NotClone(run)),
            _ => Ok(id),
        }
    }
    let mut outcomes = join_all((0..100).map(|_| load(7))).await;
    assert_eq!(outcomes.remove(0), Err(NotClone(1)));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 1);
    assert_eq!(RUNS.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn when_the_computing_caller_is_aborted_the_next_waiter_goes_on() {
    static RUNS: Runs = Runs::new();
    #[async_cached]
    async fn load(id: u32) -> u32 {
        RUNS.add();
        sleep(SECOND).await;
        id
    }
    let leader = tokio::spawn(load(1));
    tokio::task::yield_now().await;
    let callers: Vec<_> = (0..999).map(|_| tokio::spawn(load(1))).collect();
    tokio::task::yield_now().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 1);
    }
    assert_eq!(RUNS.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_the_computing_callers_own() {
    static RUNS: Runs = Runs::new();
    #[async_cached]
    async fn load(id: u32) -> u32 {
        let run = RUNS.add();
        sleep(SECOND).await;
        assert!(run > 1, "first");
        id
    }
    let callers: Vec<_> = (0..1_000).map(|_| tokio::spawn(load(1))).collect();
    let mut panics = 0;
    for caller in callers {
        match caller.await {
            Ok(value) => assert_eq!(value, 1),
            Err(error) => {
                panics += 1;
                assert!(error.into_panic().downcast_ref::<&str>().is_some_and(|text| text.contains("first")));
            }
        }
    }
    assert_eq!((panics, RUNS.get()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_dropped_just_after_it_was_chosen_passes_the_choice_on() {
    #[async_cached(handle = loads)]
    async fn load(id: u32) -> u32 {
        sleep(SECOND).await;
        id
    }
    let mut leader = Box::pin(load(1));
    let mut first = Box::pin(load(1));
    let mut second = Box::pin(load(1));
    assert!(poll_immediate(&mut leader).await.is_none());
    assert!(poll_immediate(&mut first).await.is_none());
    assert!(poll_immediate(&mut second).await.is_none());
    drop(leader);
    drop(first);
    assert_eq!(tokio::time::timeout(2 * SECOND, second).await, Ok(1));
    assert_eq!(loads().stats().loads, 2);
}

#[tokio::test(start_paused = true)]
async fn a_flight_that_everybody_left_leaves_nothing_behind() {
    static RUNS: Runs = Runs::new();
    #[async_cached]
    async fn load(id: u32) -> u32 {
        RUNS.add();
        sleep(SECOND).await;
        id
    }
    for _ in 0..3 {
        let mut callers: Vec<_> = (0..5).map(|_| Box::pin(load(1))).collect();
        for caller in &mut callers {
            assert!(poll_immediate(caller).await.is_none());
        }
    }
    assert_eq!(RUNS.get(), 3);
    assert_eq!(load(1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn keys_do_not_wait_for_each_other() {
    #[async_cached]
    async fn fib(n: u32) -> u64 {
        sleep(SECOND).await;
        if n < 2 { u64::from(n) } else { Box::pin(fib(n - 1)).await + Box::pin(fib(n - 2)).await }
    }
    assert_eq!(fib(50).await, 12_586_269_025);
}

#[tokio::test(start_paused = true)]
async fn recursion_on_the_same_key_is_reported() {
    #[async_cached]
    async fn forever(n: u32) -> Result<u32, io::Error> {
        tokio::task::yield_now().await;
        Box::pin(forever(n)).await
    }
    let error = forever(1).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Deadlock);
    assert!(error.to_string().contains("`forever` called itself"), "{error}");
}

#[tokio::test]
#[should_panic(expected = "`forever` called itself with the key that it is computing")]
async fn recursion_panics_where_the_return_type_carries_no_error() {
    #[async_cached]
    async fn forever(n: u32) -> u32 {
        Box::pin(forever(n)).await
    }
    forever(1).await;
}

#[tokio::test(start_paused = true)]
async fn two_calls_in_one_task_wait_for_each_other() {
    static RUNS: Runs = Runs::new();
    #[async_cached]
    async fn load(id: u32) -> u32 {
        RUNS.add();
        sleep(SECOND).await;
        id
    }
    assert_eq!(join!(load(1), load(1), load(2)), (1, 1, 2));
    assert_eq!(RUNS.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn without_single_flight_everybody_computes() {
    static RUNS: Runs = Runs::new();
    #[async_cached(single_flight = false, handle = loads)]
    async fn load(id: u32) -> u32 {
        RUNS.add();
        sleep(SECOND).await;
        id
    }
    join_all((0..10).map(|_| load(1))).await;
    assert_eq!(RUNS.get(), 10);
    load(1).await;
    assert_eq!(RUNS.get(), 10);
    let during = load(2);
    pin_mut!(during);
    assert!(during.as_mut().now_or_never().is_none());
    loads().invalidate(&2);
    during.await;
    assert!(!loads().contains(&2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_with_keys_mixed() {
    static RUNS: Runs = Runs::new();
    #[async_cached(handle = loads)]
    async fn load(id: u32) -> u32 {
        RUNS.add();
        tokio::task::yield_now().await;
        id
    }
    let callers: Vec<_> = (0..10_000_u32).map(|n| tokio::spawn(async move { (n % 100, load(n % 100).await) })).collect();
    for caller in callers {
        let (expected, got) = caller.await.unwrap();
        assert_eq!(expected, got);
    }
    assert_eq!(RUNS.get(), 100);
    let stats = loads().stats();
    assert_eq!((stats.hits + stats.misses, stats.loads + stats.coalesced), (10_000, stats.misses));
}

#[test]
fn statistics_add_up_under_eight_threads() {
    #[async_cached(capacity = 40, handle = loads)]
    async fn load(id: u32) -> Result<u32, String> {
        tokio::task::yield_now().await;
        if id.is_multiple_of(7) { Err(format!("{id}")) } else { Ok(id) }
    }
    const CALLS: u32 = 20_000;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(8).build().unwrap();
    let abandoned = runtime.block_on(async {
        let callers: Vec<_> = (0..8_u32)
            .map(|thread| {
                tokio::spawn(async move {
                    let mut abandoned = 0_u64;
                    for n in 0..CALLS / 8 {
                        let id = (n * 31 + thread * 17) % 100;
                        if n.is_multiple_of(97) {
                            // Given up after one poll: it has counted as a hit, or as a miss, all the same.
                            let call = load(id);
                            pin_mut!(call);
                            abandoned += u64::from(poll_immediate(call.as_mut()).await.is_none());
                        } else {
                            assert_eq!(load(id).await.is_err(), id.is_multiple_of(7));
                        }
                        if n.is_multiple_of(50) {
                            loads().invalidate(&id);
                        }
                    }
                    abandoned
                })
            })
            .collect();
        join_all(callers).await.into_iter().map(Result::unwrap).sum::<u64>()
    });
    let stats = loads().stats();
    assert_eq!(stats.hits + stats.misses, u64::from(CALLS));
    assert_eq!(stats.loads + stats.coalesced, stats.misses);
    assert!(abandoned > 0 && stats.evictions > 0 && stats.load_errors > 0, "{stats:?}");
    assert_eq!(loads().in_flight(), 0);
}
