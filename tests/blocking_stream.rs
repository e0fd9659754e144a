//! `blocking_stream`, `offload`: back-pressure, errors, panics, and producers that stop.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::convert::Infallible;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use futures::future::poll_immediate;
use futures::{FutureExt, StreamExt, TryStreamExt};
use steadfast::{BlockingStream, ConsumerGone, blocking_stream, offload};
use tokio::time::{Instant, sleep};

/// Counts the items that exist, and how many did at most.
#[derive(Default)]
struct Census {
    now: AtomicUsize,
    peak: AtomicUsize,
    made: AtomicUsize,
}

struct Counted(Arc<Census>);

impl Counted {
    fn new(census: &Arc<Census>) -> Self {
        census.made.fetch_add(1, SeqCst);
        census.peak.fetch_max(census.now.fetch_add(1, SeqCst) + 1, SeqCst);
        Self(Arc::clone(census))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, SeqCst);
    }
}

/// A producer without end; what it returns tells whether the consumer was seen to go.
fn endless(capacity: usize, census: &Arc<Census>) -> (BlockingStream<Counted, Infallible>, Receiver<ConsumerGone>) {
    let (ended, end) = channel();
    let census = Arc::clone(census);
    let stream = blocking_stream(capacity, move |tx| {
        loop {
            if let Err(gone) = tx.send(Counted::new(&census)) {
                ended.send(gone).unwrap();
                return Ok(());
            }
        }
    });
    (stream, end)
}

#[tokio::test]
async fn items_come_in_order_and_then_the_end() {
    let mut stream = blocking_stream(2, |tx| (0..100).try_for_each(|n| tx.send(n)));
    for n in 0..100 {
        assert_eq!(stream.next().await, Some(Ok(n)));
    }
    assert_eq!(stream.next().await, None);
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn it_is_a_stream_for_every_combinator() {
    let stream = blocking_stream(3, |tx| (1..=4).try_for_each(|n| tx.send(n)));
    assert_eq!(stream.map_ok(|n| n * n).try_collect::<Vec<_>>().await, Ok(vec![1, 4, 9, 16]));
}

#[tokio::test]
async fn never_more_than_the_capacity_and_one_are_alive() {
    for capacity in [1, 2, 7] {
        let census = Arc::default();
        let (mut stream, _end) = endless(capacity, &census);
        for _ in 0..200 {
            let item = StreamExt::next(&mut stream).await.unwrap();
            tokio::task::yield_now().await;
            drop(item);
        }
        assert!(census.peak.load(SeqCst) <= capacity + 1, "{} at {capacity}", census.peak.load(SeqCst));
    }
}

#[tokio::test]
async fn a_producer_whose_stream_is_not_read_makes_the_capacity_and_one() {
    let census = Arc::default();
    let (mut stream, end) = endless(4, &census);
    drop(stream.next().await);
    // One was taken, and keeps its place until the next is asked for.
    while census.made.load(SeqCst) < 5 {
        thread::yield_now();
    }
    assert!(end.recv_timeout(Duration::from_millis(20)).is_err());
    assert_eq!(census.made.load(SeqCst), 5);
}

#[tokio::test]
async fn dropping_the_stream_stops_the_producer_within_one_item() {
    for read in [1, 2, 10] {
        let census = Arc::default();
        let (mut stream, end) = endless(3, &census);
        for _ in 0..read {
            stream.next().await;
        }
        drop(stream);
        let made = census.made.load(SeqCst);
        end.recv().unwrap();
        assert!(census.made.load(SeqCst) <= made + 1);
    }
}

#[tokio::test]
async fn dropping_the_stream_wakes_a_producer_that_waits() {
    let census = Arc::default();
    let (mut stream, end) = endless(1, &census);
    stream.next().await;
    while census.made.load(SeqCst) < 2 {
        thread::yield_now();
    }
    drop(stream);
    end.recv().unwrap();
    assert_eq!((census.made.load(SeqCst), census.now.load(SeqCst)), (2, 0));
}

#[tokio::test]
async fn a_stream_that_is_never_polled_runs_nothing() {
    let (started, starts) = channel();
    drop(blocking_stream(1, move |tx| {
        started.send(()).unwrap();
        tx.send(1)
    }));
    assert!(starts.recv().is_err());
}

#[test]
fn a_stream_may_be_made_outside_of_a_runtime() {
    let mut stream = blocking_stream(1, |tx| tx.send(1));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(stream.next()), Some(Ok(1)));
}

#[tokio::test]
async fn an_error_is_the_last_item() {
    let mut stream = blocking_stream(1, |tx| {
        for n in 0..3 {
            tx.send(n)?;
        }
        Err(io::Error::other("unreadable"))
    });
    for n in 0..3 {
        assert_eq!(stream.next().await.unwrap().unwrap(), n);
    }
    assert_eq!(stream.next().await.unwrap().unwrap_err().to_string(), "unreadable");
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_panic_reaches_the_consumer_behind_the_items() {
    let mut stream = blocking_stream(2, |tx| {
        tx.send(1)?;
        assert!(tx.send(2).is_err(), "disk on fire");
        Ok::<_, ConsumerGone>(())
    });
    assert_eq!(stream.next().await, Some(Ok(1)));
    assert_eq!(stream.next().await, Some(Ok(2)));
    let payload = AssertUnwindSafe(stream.next()).catch_unwind().await.unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "disk on fire");
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_next_that_is_dropped_loses_no_item() {
    let (go, gone): (Sender<u32>, _) = channel();
    let mut stream = blocking_stream(1, move |tx| gone.into_iter().try_for_each(|n| tx.send(n)));
    for n in 0..10 {
        assert!(poll_immediate(stream.next()).await.is_none());
        go.send(n).unwrap();
        assert_eq!(stream.next().await, Some(Ok(n)));
    }
}

#[tokio::test]
async fn the_sender_may_outlive_its_producer() {
    let mut stream = blocking_stream(1, |tx| {
        thread::spawn(move || (0..3).try_for_each(|n| tx.send(n)));
        Ok::<_, Infallible>(())
    });
    for n in 0..3 {
        assert_eq!(stream.next().await, Some(Ok(n)));
    }
    assert_eq!(stream.next().await, None);
}

#[test]
fn a_runtime_that_shuts_down_with_a_stream_in_a_task_ends_the_producer() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let census = Arc::default();
    let (mut stream, end) = endless(1, &census);
    runtime.spawn(async move {
        stream.next().await;
        std::future::pending::<()>().await;
    });
    while census.made.load(SeqCst) < 2 {
        thread::yield_now();
    }
    drop(runtime);
    end.recv().unwrap();
}

/// A stream that outlives its runtime, whose producer waits for a place.
#[test]
fn a_runtime_that_shuts_down_ends_a_producer_whose_stream_is_kept() {
    for threads in [None, Some(1)] {
        let runtime = match threads {
            None => tokio::runtime::Builder::new_current_thread().build().unwrap(),
            Some(threads) => tokio::runtime::Builder::new_multi_thread().worker_threads(threads).build().unwrap(),
        };
        let census = Arc::default();
        let (mut stream, end) = endless(2, &census);
        drop(runtime.block_on(stream.next()));
        while census.made.load(SeqCst) < 3 {
            thread::yield_now();
        }
        // It waits, or is about to.
        drop(runtime);
        end.recv().unwrap();
        // What was sent is still there.
        assert_eq!(futures::executor::block_on(stream.by_ref().count()), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_does_not_wait_for_ever_under_a_paused_clock() {
    let started = Instant::now();
    let mut stream = blocking_stream(1, |tx| (0..5).try_for_each(|n| tx.send(n)));
    let mut seen = Vec::new();
    while let Some(item) = stream.next().await {
        seen.push(item.unwrap());
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(seen, [0, 1, 2, 3, 4]);
    assert_eq!(started.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_above_a_slow_consumer_fires_under_a_paused_clock() {
    #[steadfast::timeout(10s)]
    async fn slow() -> Result<u32, steadfast::Error> {
        let mut stream = blocking_stream(2, |tx| (0..100).try_for_each(|n| tx.send(n)));
        let mut count = 0;
        while stream.next().await.is_some() {
            count += 1;
            sleep(Duration::from_secs(1)).await;
        }
        Ok(count)
    }
    let started = Instant::now();
    assert!(slow().await.unwrap_err().is_timeout());
    assert_eq!(started.elapsed(), Duration::from_secs(10));
}

/// The producer works in real time, and the clock waits for it: before the first item, between two, and behind the last.
#[tokio::test(start_paused = true)]
async fn a_paused_clock_waits_for_a_producer_that_works() {
    let work = || thread::sleep(Duration::from_millis(5));
    for capacity in [1, 3] {
        let started = Instant::now();
        let mut stream = blocking_stream(capacity, move |tx| {
            for n in 0..6 {
                work();
                tx.send(n)?;
            }
            work();
            Ok::<_, ConsumerGone>(())
        });
        for n in 0..6 {
            assert_eq!(tokio::time::timeout(Duration::from_secs(1), stream.next()).await, Ok(Some(Ok(n))));
            if n % 2 == 0 {
                sleep(Duration::from_secs(1)).await;
            }
        }
        assert_eq!(tokio::time::timeout(Duration::from_secs(1), stream.next()).await, Ok(None));
        assert_eq!(started.elapsed(), Duration::from_secs(3));
    }
}

#[tokio::test]
async fn sending_on_an_async_thread_panics_whether_or_not_there_is_a_place() {
    let (sender, senders) = channel();
    let mut stream = blocking_stream(1, move |tx| sender.send(tx).map_err(|_| "nobody wants it"));
    assert!(poll_immediate(stream.next()).await.is_none());
    let tx = senders.recv().unwrap();
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| tx.send(1)));
    assert!(panicked.is_err(), "there is a place, but this thread must not wait for one");
    // In the right place it is sent.
    offload(move || tx.send(2)).await.unwrap();
    assert_eq!(stream.next().await, Some(Ok(2)));
    assert_eq!(stream.next().await, None);
}

#[test]
#[should_panic(expected = "`capacity` must be at least 1")]
fn a_capacity_of_zero_panics() {
    let _never = blocking_stream(0, |tx| tx.send(1));
}

#[test]
fn what_the_producer_is_told_becomes_its_own_error() {
    let mut gone = None;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let census = Arc::default();
        let (mut stream, end) = endless(1, &census);
        stream.next().await;
        drop(stream);
        gone = Some(end.recv().unwrap());
    });
    let error = io::Error::from(gone.unwrap());
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert!(error.to_string().contains("stream was dropped"));
}

#[tokio::test]
async fn offload_runs_on_another_thread_and_returns_the_result() {
    let here = thread::current().id();
    assert_ne!(offload(move || thread::current().id()).await, here);
}

#[tokio::test]
async fn offload_resumes_a_panic() {
    let empty = Vec::<u8>::new();
    let payload = AssertUnwindSafe(offload(move || empty[0])).catch_unwind().await.unwrap_err();
    assert!(payload.downcast::<String>().unwrap().contains("index out of bounds"));
}

#[test]
fn offload_that_is_dropped_before_it_starts_never_runs() {
    static RAN: AtomicBool = AtomicBool::new(false);
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (go, gone) = channel::<()>();
        let mut first = Box::pin(offload(move || gone.recv()));
        assert!(poll_immediate(&mut first).await.is_none());
        let second = offload(|| RAN.store(true, SeqCst));
        assert!(poll_immediate(second).await.is_none());
        drop(offload(|| RAN.store(true, SeqCst)));
        go.send(()).unwrap();
        first.await.unwrap();
        offload(|| ()).await;
    });
    assert!(!RAN.load(SeqCst));
}
