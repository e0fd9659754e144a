//! `gather`, `try_gather` and their local variants: order, limits, errors, panics, and that no future is left behind.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, Ready, pending, ready};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures::FutureExt;
use futures::future::poll_immediate;
use steadfast::{gather, gather_local, try_gather, try_gather_local};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};

/// How many futures exist, how many did at most, and how many ever did.
#[derive(Clone, Default)]
struct Census(Arc<[AtomicUsize; 3]>);

impl Census {
    fn enter(&self) -> Present {
        let now = self.0[0].fetch_add(1, SeqCst) + 1;
        self.0[1].fetch_max(now, SeqCst);
        self.0[2].fetch_add(1, SeqCst);
        Present(self.clone())
    }

    fn now(&self) -> usize {
        self.0[0].load(SeqCst)
    }

    fn peak(&self) -> usize {
        self.0[1].load(SeqCst)
    }

    fn ever(&self) -> usize {
        self.0[2].load(SeqCst)
    }
}

struct Present(Census);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.0[0].fetch_sub(1, SeqCst);
    }
}

fn numbers<N: From<u16>>(end: u16) -> Vec<N> {
    (0..end).map(N::from).collect()
}

/// Sleeps the longer the smaller `n` is, so that the order of the ends is not that of the input.
async fn backwards(census: Census, n: u64) -> u64 {
    let _present = census.enter();
    sleep(Duration::from_millis(100 - n)).await;
    n
}

#[tokio::test(start_paused = true)]
async fn outputs_come_in_the_order_of_the_input() {
    let census = Census::default();
    let start = Instant::now();
    assert_eq!(gather((0..40).map(|n| backwards(census.clone(), n))).await, numbers(40));
    assert_eq!(start.elapsed().as_millis(), 100);
    assert_eq!(census.peak(), 40);
}

#[tokio::test(start_paused = true)]
async fn errors_are_outputs_as_any_other() {
    let outcomes = gather((0..5).map(async |n| if n % 2 == 0 { Ok(n) } else { Err(n) })).await;
    assert_eq!(outcomes, [Ok(0), Err(1), Ok(2), Err(3), Ok(4)]);
}

#[tokio::test]
async fn nothing_to_gather_is_an_empty_list() {
    assert_eq!(gather(Vec::<Ready<u8>>::new()).await, []);
    assert_eq!(try_gather(Vec::<Ready<Result<u8, u8>>>::new()).await, Ok(vec![]));
    assert_eq!(gather_local(Vec::<Ready<u8>>::new()).limit(1).await, []);
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_never_exceeded_and_always_used() {
    for limit in [1, 3, 40, usize::MAX] {
        let (spawned, local) = (Census::default(), Census::default());
        let outputs = gather((0..40).map(|n| backwards(spawned.clone(), n))).limit(limit).await;
        assert_eq!(outputs, numbers(40));
        let outputs = gather_local((0..40).map(|n| backwards(local.clone(), n))).limit(limit).await;
        assert_eq!(outputs, numbers(40));
        assert_eq!((spawned.peak(), local.peak()), (limit.min(40), limit.min(40)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_is_never_exceeded_on_two_threads() {
    let census = Census::default();
    let count = async |n: u32| {
        let _present = census.enter();
        yield_now().await;
        Ok::<_, Infallible>(n)
    };
    assert_eq!(try_gather_local((0..1000).map(count)).limit(7).await, Ok(numbers(1000)));
    let census = Census::default();
    let count = |n: u32| {
        let census = census.clone();
        async move {
            let _present = census.enter();
            yield_now().await;
            Ok::<_, Infallible>(n)
        }
    };
    assert_eq!(try_gather((0..1000).map(count)).limit(7).await, Ok(numbers(1000)));
    assert!(census.peak() <= 7);
}

#[test]
#[should_panic(expected = "`limit` must be at least 1")]
fn a_limit_of_zero_panics() {
    let _never = gather([ready(1)]).limit(0);
}

/// The 13th of forty fails after a second; the others take a minute.
async fn one_of_forty(census: Census, n: usize) -> Result<usize, String> {
    let _present = census.enter();
    if n == 13 {
        sleep(Duration::from_secs(1)).await;
        return Err(format!("number {n}"));
    }
    sleep(Duration::from_secs(60)).await;
    Ok(n)
}

#[tokio::test(start_paused = true)]
async fn the_first_error_of_forty_ends_it_when_the_siblings_have_been_dropped() {
    let census = Census::default();
    let start = Instant::now();
    let result = try_gather((0..40).map(|n| one_of_forty(census.clone(), n))).await;
    assert_eq!(result, Err("number 13".to_owned()));
    assert_eq!((census.now(), census.ever()), (0, 40));
    assert_eq!(start.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_first_error_of_forty_ends_the_local_form_as_well() {
    let census = Census::default();
    let start = Instant::now();
    let result = try_gather_local((0..40).map(|n| one_of_forty(census.clone(), n))).limit(39).await;
    assert_eq!(result, Err("number 13".to_owned()));
    assert_eq!((census.now(), census.ever()), (0, 39));
    assert_eq!(start.elapsed().as_secs(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn siblings_on_other_threads_have_been_dropped_when_it_returns() {
    for _ in 0..200 {
        let census = Census::default();
        let futures = (0..20).map(|n| {
            let census = census.clone();
            async move {
                let _present = census.enter();
                if n != 13 {
                    loop {
                        yield_now().await;
                    }
                }
                Err::<(), _>(n)
            }
        });
        assert_eq!(try_gather(futures).await, Err(13));
        assert_eq!(census.now(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_error_in_time_wins_over_the_first_in_order() {
    let fail = async |seconds| {
        sleep(Duration::from_secs(seconds)).await;
        Err::<(), _>(seconds)
    };
    assert_eq!(try_gather([3, 1, 2].map(fail)).await, Err(1));
    assert_eq!(try_gather_local([3, 1, 2].map(fail)).await, Err(1));
}

#[tokio::test(start_paused = true)]
async fn an_infinite_iterator_is_pulled_lazily() {
    for local in [false, true] {
        let pulled = Rc::new(Cell::new(0));
        let futures = (0..).map(|n| {
            pulled.set(n);
            async move {
                sleep(Duration::from_secs(1)).await;
                if n == 10 { Err(n) } else { Ok(n) }
            }
        });
        let result = if local { try_gather_local(futures).limit(4).await } else { try_gather(futures).limit(4).await };
        assert_eq!(result, Err(10));
        assert!(pulled.get() <= 13, "pulled {} at a limit of 4", pulled.get());
    }
}

#[tokio::test(start_paused = true)]
async fn endless_ready_futures_let_a_deadline_through() {
    let spawned = try_gather((0..).map(|_: u32| ready(Ok::<_, ()>(())))).limit(4);
    assert!(timeout(Duration::from_millis(10), spawned).now_or_never().is_none());
    let local = try_gather_local((0..).map(|_: u32| ready(Ok::<_, ()>(())))).limit(4);
    assert!(timeout(Duration::from_millis(10), local).now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_iterator_is_dropped_with_the_first_error() {
    let census = Census::default();
    let present = census.enter();
    let checked = census.clone();
    let mut futures = try_gather_local((0..).map(move |n| {
        let _holds = &present;
        ready(if n == 0 { Err(n) } else { Ok(n) })
    }))
    .limit(1);
    assert_eq!((&mut futures).await, Err(0));
    assert_eq!(checked.now(), 0);
}

#[tokio::test]
async fn dropping_it_leaves_no_task() {
    let census = Census::default();
    let runtime = tokio::runtime::Handle::current();
    let alive = runtime.metrics().num_alive_tasks();
    let futures = (0..40).map(|_| {
        let census = census.clone();
        async move {
            let _present = census.enter();
            pending::<Result<(), ()>>().await
        }
    });
    let mut call = try_gather(futures).limit(30);
    assert!(poll_immediate(&mut call).await.is_none());
    yield_now().await;
    assert_eq!(census.now(), 30);
    drop(call);
    yield_now().await;
    assert_eq!((census.now(), census.ever()), (0, 30));
    assert_eq!(runtime.metrics().num_alive_tasks(), alive);
}

#[tokio::test(start_paused = true)]
async fn dropped_while_it_stops_the_siblings_it_leaves_no_task() {
    let census = Census::default();
    let mut call = try_gather((0..40).map(|n| one_of_forty(census.clone(), n)));
    // Polled until the error has been seen: the siblings are being stopped by then.
    for _ in 0..1000 {
        assert!(poll_immediate(&mut call).await.is_none());
        if census.ever() == 40 {
            break;
        }
        yield_now().await;
    }
    tokio::time::advance(Duration::from_secs(1)).await;
    yield_now().await;
    assert!(poll_immediate(&mut call).await.is_none());
    drop(call);
    yield_now().await;
    assert_eq!(census.now(), 0);
}

#[tokio::test]
async fn before_it_is_polled_nothing_starts() {
    let census = Census::default();
    drop(gather((0..3).map(|n| backwards(census.clone(), n))));
    yield_now().await;
    assert_eq!(census.ever(), 0);
}

async fn panics_at(census: Census, n: usize) -> Result<(), String> {
    let _present = census.enter();
    yield_now().await;
    assert!(n != 3, "number {n}");
    pending().await
}

#[tokio::test]
async fn a_panic_is_resumed_when_the_siblings_have_been_dropped() {
    let census = Census::default();
    let call = try_gather((0..10).map(|n| panics_at(census.clone(), n)));
    let payload = AssertUnwindSafe(call).catch_unwind().await.unwrap_err();
    assert_eq!(*payload.downcast::<String>().unwrap(), "number 3");
    assert_eq!((census.now(), census.ever()), (0, 10));

    let call = gather((0..10).map(|n| panics_at(census.clone(), n)));
    let payload = AssertUnwindSafe(call).catch_unwind().await.unwrap_err();
    assert_eq!(*payload.downcast::<String>().unwrap(), "number 3");
    assert_eq!((census.now(), census.ever()), (0, 20));
}

#[tokio::test]
async fn a_panic_of_the_local_form_passes_through() {
    let census = Census::default();
    let call = gather_local((0..10).map(|n| panics_at(census.clone(), n)));
    let payload = AssertUnwindSafe(call).catch_unwind().await.unwrap_err();
    assert_eq!(*payload.downcast::<String>().unwrap(), "number 3");
    assert_eq!((census.now(), census.ever()), (0, 10));
}

#[tokio::test]
async fn a_panic_while_the_siblings_are_stopped_wins_over_the_error() {
    struct PanicsWhenDropped;
    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "in the destructor");
        }
    }
    let call = try_gather((0..2).map(|n| async move {
        if n == 0 {
            yield_now().await;
            return Err(n);
        }
        let _panics = PanicsWhenDropped;
        pending::<Result<(), _>>().await
    }));
    let payload = AssertUnwindSafe(call).catch_unwind().await.unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "in the destructor");
}

#[tokio::test]
async fn local_futures_may_borrow_and_need_not_be_send() {
    let seen = RefCell::new(Vec::new());
    let names = ["a".to_owned(), "b".to_owned()];
    let visit = async |name: &String| {
        yield_now().await;
        seen.borrow_mut().push(name.clone());
        Ok::<_, Infallible>(name.len())
    };
    assert_eq!(try_gather_local(names.iter().map(visit)).await, Ok(vec![1, 1]));
    seen.borrow_mut().sort();
    assert_eq!(*seen.borrow(), names);
}

#[test]
fn local_futures_need_no_runtime() {
    let outputs = futures::executor::block_on(gather_local((0..3).map(ready)).limit(2));
    assert_eq!(outputs, [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn local_futures_are_polled_only_when_they_are_woken() {
    let polls = Cell::new(0);
    let futures = (1..=100).map(|n| {
        let mut sleep = Box::pin(sleep(Duration::from_secs(n)));
        std::future::poll_fn({
            let polls = &polls;
            move |cx| {
                polls.set(polls.get() + 1);
                sleep.as_mut().poll(cx)
            }
        })
    });
    gather_local(futures).await;
    assert_eq!(polls.get(), 200);
}

#[tokio::test]
async fn it_can_be_spawned() {
    let spawned = tokio::spawn(async { try_gather((0..3).map(|n| ready(Ok::<_, ()>(n)))).limit(2).await });
    assert_eq!(spawned.await.unwrap(), Ok(vec![0, 1, 2]));
}

struct PanicsWhenDropped(&'static str);

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        std::panic::panic_any(self.0);
    }
}

async fn panics(call: impl Future) -> &'static str {
    let Err(payload) = AssertUnwindSafe(call).catch_unwind().await else { panic!("it did not panic") };
    *payload.downcast().unwrap()
}

#[tokio::test]
async fn a_panic_of_the_iterator_is_resumed_when_the_futures_have_been_dropped() {
    let census = Census::default();
    let futures = || {
        (0..5).map(|n| {
            if n == 3 {
                std::panic::panic_any("in the iterator");
            }
            let census = census.clone();
            async move {
                let _present = census.enter();
                if n > 0 {
                    pending::<()>().await;
                }
            }
        })
    };
    // Kept by the caller, as a `select!` in a loop does it. The fourth is asked for when the first has ended.
    let mut call = gather(futures()).limit(3);
    assert_eq!((panics(&mut call).await, census.now()), ("in the iterator", 0));
    let mut call = gather_local(futures()).limit(3);
    assert_eq!((panics(&mut call).await, census.now()), ("in the iterator", 0));
}

#[tokio::test]
async fn a_panic_of_an_output_that_is_thrown_away_is_resumed_when_the_futures_have_been_dropped() {
    // The bomb is ready before the failure has been seen, or only once it is too late for it.
    for behind in [false, true] {
        let census = Census::default();
        let future = |n: usize| {
            let census = census.clone();
            async move {
                let _present = census.enter();
                match n {
                    0 if behind => Err(()),
                    0 => {
                        yield_now().await;
                        Err(())
                    }
                    1 => Ok(PanicsWhenDropped("in the output")),
                    _ => pending().await,
                }
            }
        };
        let mut call = try_gather((0..5).map(future));
        assert_eq!((panics(&mut call).await, census.now()), ("in the output", 0));
        if !behind {
            let mut call = try_gather_local((0..5).map(future));
            assert_eq!((panics(&mut call).await, census.now()), ("in the output", 0));
        }
    }
}

#[tokio::test]
async fn a_destructor_that_panics_keeps_no_other_local_future_alive() {
    let census = Census::default();
    let future = |n: usize| {
        let census = census.clone();
        async move {
            let _present = census.enter();
            let _bomb = (n == 2).then(|| PanicsWhenDropped("in a future"));
            if n == 4 { Err(()) } else { pending::<Result<(), ()>>().await }
        }
    };
    let mut call = try_gather_local((0..5).map(future));
    assert_eq!((panics(&mut call).await, census.now()), ("in a future", 0));
    // The same where the caller goes.
    let mut call = gather_local((0..4).map(future));
    assert!(poll_immediate(&mut call).await.is_none());
    assert_eq!((panics(async { drop(call) }).await, census.now()), ("in a future", 0));
}

#[tokio::test]
async fn outputs_that_are_thrown_away_behind_a_panic_do_not_abort_the_process() {
    let call = gather((0..3).map(async |n| {
        yield_now().await;
        if n == 2 {
            std::panic::panic_any("in a future");
        }
        PanicsWhenDropped("in an output")
    }));
    assert_eq!(panics(call).await, "in a future");
}
