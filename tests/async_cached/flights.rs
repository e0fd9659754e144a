//! Single flight: which caller computes, and which ones wait.

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
#[should_panic(expected = "`forever` called itself recursively with the key it is already computing")]
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

/// Functions with different errors over one cache: who cannot read how the other failed waits for one of its own.
mod other_errors {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct A;
    #[derive(Debug, Clone, PartialEq)]
    struct B;

    #[tokio::test(start_paused = true)]
    async fn one_of_those_who_wait_computes() {
        static SHARED: Cache<u32, u32> = Cache::new(100);
        static RUNS: Runs = Runs::new();
        #[async_cached(cache = SHARED)]
        async fn a(n: u32) -> Result<u32, A> {
            sleep(SECOND).await;
            if n > 1_000 { Ok(n) } else { Err(A) }
        }
        #[async_cached(cache = SHARED)]
        async fn plain(n: u32) -> u32 {
            RUNS.add();
            sleep(SECOND).await;
            n
        }
        #[async_cached(cache = SHARED)]
        async fn b(n: u32) -> Result<u32, B> {
            RUNS.add();
            sleep(SECOND).await;
            if n == 3 { Err(B) } else { Ok(n) }
        }
        #[async_cached(cache = SHARED)]
        async fn none(n: u32) -> Option<u32> {
            sleep(SECOND).await;
            Some(n).filter(|n| *n > 1_000)
        }
        let (failed, values) = join!(a(1), join_all((0..50).map(|_| plain(1))));
        assert_eq!((failed, values, RUNS.get()), (Err(A), vec![1; 50], 1));
        assert_eq!(SHARED.get(&1), Some(1), "and it is kept");

        let (failed, values) = join!(a(2), join_all((0..50).map(|_| b(2))));
        assert_eq!((failed, values, RUNS.get()), (Err(A), vec![Ok(2); 50], 2));

        let (failed, values) = join!(a(3), join_all((0..50).map(|_| b(3))));
        assert_eq!((failed, values, RUNS.get()), (Err(A), vec![Err(B); 50], 3));

        let (failed, values) = join!(none(4), join_all((0..50).map(|_| plain(4))));
        assert_eq!((failed, values, RUNS.get()), (None, vec![4; 50], 4));

        let load = || {
            SHARED.get_or_load(5, async || {
                RUNS.add();
                sleep(SECOND).await;
                5
            })
        };
        let (failed, values) = join!(a(5), join_all((0..50).map(|_| load())));
        assert_eq!((failed, values, RUNS.get()), (Err(A), vec![5; 50], 5));

        let load = || {
            SHARED.get_or_spawn(6, || async {
                RUNS.add();
                sleep(SECOND).await;
                Ok::<u32, B>(6)
            })
        };
        let (failed, values) = join!(a(6), join_all((0..50).map(|_| load())));
        assert_eq!((failed, values, RUNS.get()), (Err(A), vec![Ok(6); 50], 6));
        let stats = SHARED.stats();
        assert_eq!((stats.loads, stats.loads + stats.coalesced, SHARED.in_flight()), (12, stats.misses, 0));
    }

    /// What is remembered answers every function with that error; one error takes the place of another.
    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_of_them() {
        static SHARED: Cache<u32, u32> = Cache::new(100);
        static RUNS: Runs = Runs::new();
        #[async_cached(cache = SHARED, error_ttl = 1h)]
        async fn a(n: u32) -> Result<u32, A> {
            RUNS.add();
            if n > 1_000 { Ok(n) } else { Err(A) }
        }
        #[async_cached(cache = SHARED, error_ttl = 1h)]
        async fn b(n: u32) -> Result<u32, B> {
            RUNS.add();
            if n > 1_000 { Ok(n) } else { Err(B) }
        }
        #[async_cached(cache = SHARED)]
        async fn forgetful(n: u32) -> Result<u32, A> {
            RUNS.add();
            if n > 1_000 { Ok(n) } else { Err(A) }
        }
        assert_eq!((a(1).await, forgetful(1).await, RUNS.get()), (Err(A), Err(A), 1));
        for _ in 0..10 {
            assert_eq!((a(2).await, b(2).await), (Err(A), Err(B)));
        }
        assert_eq!(RUNS.get(), 21);
    }
}

/// Without single flight the newest read wins, whichever lands last.
#[tokio::test(start_paused = true)]
async fn an_older_computation_does_not_undo_a_newer_one() {
    #[async_cached(single_flight = false, skip(seconds, value), handle = loads)]
    async fn load(id: u32, seconds: u32, value: u32) -> u32 {
        sleep(SECOND * seconds).await;
        id + value
    }
    let (old, new, newest_of_another) = (load(0, 10, 1), load(0, 5, 2), load(7, 1, 3));
    assert_eq!(join!(old, new, newest_of_another), (1, 2, 10));
    assert_eq!((loads().get(&0), loads().get(&7)), (Some(2), Some(10)));
    let (new, old) = (load(1, 20, 2), load(1, 5, 1));
    pin_mut!(old);
    assert!(old.as_mut().now_or_never().is_none());
    assert_eq!(join!(new, old), (3, 2));
    assert_eq!(loads().get(&1), Some(3), "in the order in which they began");
}

/// What is computed after an invalidation is stored, also by a caller that has waited since before it.
#[tokio::test(start_paused = true)]
async fn a_computation_that_begins_after_an_invalidation_is_stored() {
    static RUNS: Runs = Runs::new();
    #[async_cached(handle = loads)]
    async fn load(id: u32) -> usize {
        let run = RUNS.add();
        sleep(SECOND).await;
        run + id as usize
    }
    let mut leader = Box::pin(load(0));
    let mut waiter = Box::pin(load(0));
    assert!(poll_immediate(&mut leader).await.is_none() && poll_immediate(&mut waiter).await.is_none());
    loads().invalidate(&0);
    drop(leader);
    assert!(poll_immediate(&mut waiter).await.is_none());
    assert_eq!(join!(waiter, load(0)), (2, 2), "who comes later waits for it");
    assert_eq!((loads().get(&0), loads().in_flight()), (Some(2), 0));

    // Where another has begun meanwhile, or has ended, those who waited do not begin a third.
    let mut leader = Box::pin(load(1));
    let (mut one, mut two) = (Box::pin(load(1)), Box::pin(load(1)));
    assert!(poll_immediate(&mut leader).await.is_none());
    assert!(poll_immediate(&mut one).await.is_none() && poll_immediate(&mut two).await.is_none());
    loads().invalidate(&1);
    let mut other = Box::pin(load(1));
    assert!(poll_immediate(&mut other).await.is_none());
    drop(leader);
    assert!(poll_immediate(&mut one).await.is_none());
    assert_eq!(other.await, 5);
    assert_eq!((one.await, two.await, RUNS.get()), (5, 5, 4));
    let stats = loads().stats();
    assert_eq!(stats.loads + stats.coalesced, stats.misses);
}

/// A waiter whose turn it is, and that nobody polls, keeps none of the others.
#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_not_polled_keeps_nobody() {
    #[derive(Debug, PartialEq)]
    struct Own;
    #[async_cached]
    async fn load(id: u32) -> Result<u32, Own> {
        static RUNS: Runs = Runs::new();
        sleep(SECOND).await;
        if id == 2 && RUNS.add() == 1 { Err(Own) } else { Ok(id) }
    }
    #[steadfast::coalesce]
    async fn share(id: u32) -> u32 {
        sleep(SECOND).await;
        id
    }
    // The one who computes is dropped.
    let (mut leader, mut parked) = (Box::pin(load(1)), Box::pin(load(1)));
    assert!(poll_immediate(&mut leader).await.is_none() && poll_immediate(&mut parked).await.is_none());
    let next = tokio::spawn(load(1));
    tokio::task::yield_now().await;
    drop(leader);
    assert_eq!(tokio::time::timeout(10 * SECOND, next).await.unwrap().unwrap(), Ok(1));
    assert_eq!(parked.await, Ok(1));

    // It fails with an error that is its own.
    let leader = tokio::spawn(load(2));
    tokio::task::yield_now().await;
    let mut parked = Box::pin(load(2));
    assert!(poll_immediate(&mut parked).await.is_none());
    let next = tokio::spawn(load(2));
    assert_eq!(leader.await.unwrap(), Err(Own));
    assert_eq!(tokio::time::timeout(10 * SECOND, next).await.unwrap().unwrap(), Ok(2));
    drop(parked);

    // Nothing is kept.
    let (mut leader, mut parked) = (Box::pin(share(1)), Box::pin(share(1)));
    assert!(poll_immediate(&mut leader).await.is_none() && poll_immediate(&mut parked).await.is_none());
    let next = tokio::spawn(share(1));
    tokio::task::yield_now().await;
    drop(leader);
    assert_eq!(tokio::time::timeout(10 * SECOND, next).await.unwrap().unwrap(), 1);
    drop(parked);
}
