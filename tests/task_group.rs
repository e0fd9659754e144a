//! `task_group`: children are spawned dynamically, errors end the group, nothing outlives it.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::future::{Future, pending, ready};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures::FutureExt;
use futures::future::poll_immediate;
use steadfast::{TaskGroup, task_group};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Counts what is alive.
#[derive(Clone, Default)]
struct Alive(Arc<AtomicUsize>);

struct Life(Alive);

impl Alive {
    fn begin(&self) -> Life {
        self.0.fetch_add(1, SeqCst);
        Life(self.clone())
    }

    fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, SeqCst);
    }
}

async fn stay(alive: Alive) -> Result<(), String> {
    let _life = alive.begin();
    pending().await
}

async fn fail_after(seconds: u64) -> Result<(), String> {
    sleep(SECOND * u32::try_from(seconds).unwrap()).await;
    Err(format!("after {seconds}s"))
}

#[tokio::test(start_paused = true)]
async fn the_values_of_children_can_be_awaited_and_children_run_at_once() {
    let start = Instant::now();
    let sum = task_group(async |g| {
        let children: Vec<_> = (1..=3)
            .map(|n| {
                g.spawn(async move {
                    sleep(SECOND * n).await;
                    Ok::<_, ()>(n)
                })
            })
            .collect();
        let mut sum = 0;
        for child in children {
            sum += child.await;
        }
        Ok(sum)
    });
    assert_eq!(sum.await, Ok(6));
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn it_returns_when_all_children_have_ended() {
    let start = Instant::now();
    let result = task_group(async |g| {
        g.spawn(async {
            sleep(5 * SECOND).await;
            Ok::<_, ()>(())
        });
        Ok("body")
    });
    assert_eq!(result.await, Ok("body"));
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn a_group_without_children_returns_at_once() {
    assert_eq!(task_group(async |_| Ok::<_, ()>(1)).now_or_never(), Some(Ok(1)));
    assert_eq!(task_group(async |_| Err::<(), _>(1)).now_or_never(), Some(Err(1)));
}

#[tokio::test(start_paused = true)]
async fn the_first_error_of_a_child_ends_children_and_body_before_it_returns() {
    let (alive, body) = (Alive::default(), Alive::default());
    let start = Instant::now();
    let result = task_group(async |g| {
        let _life = body.begin();
        for _ in 0..40 {
            g.spawn(stay(alive.clone()));
        }
        g.spawn(fail_after(2));
        g.spawn(fail_after(1));
        pending::<Result<(), _>>().await
    });
    assert_eq!(result.await, Err("after 1s".to_owned()));
    assert_eq!((alive.count(), body.count()), (0, 0));
    assert_eq!(start.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_body_ends_the_children_before_it_returns() {
    let alive = Alive::default();
    let result = task_group(async |g| {
        g.spawn(stay(alive.clone()));
        yield_now().await;
        assert_eq!(alive.count(), 1);
        Err::<(), _>("body".to_owned())
    });
    assert_eq!(result.await, Err("body".to_owned()));
    assert_eq!(alive.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_child_after_the_body_has_ended_is_returned() {
    let result = task_group(async |g| {
        g.spawn(fail_after(3));
        Ok("body")
    });
    assert_eq!(result.await, Err("after 3s".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_body_that_awaits_a_failing_child_is_dropped_and_never_goes_on() {
    let result = task_group(async |g| {
        let child = g.spawn(fail_after(1));
        child.await;
        unreachable!("the child failed");
        #[expect(unreachable_code, reason = "it says the type")]
        Ok(())
    });
    assert_eq!(result.await, Err("after 1s".to_owned()));
}

#[tokio::test]
async fn a_panic_of_a_child_is_resumed_when_the_others_have_been_dropped() {
    let alive = Alive::default();
    let call = task_group(async |g| {
        g.spawn(stay(alive.clone()));
        g.spawn(async {
            yield_now().await;
            assert_eq!(1 + 1, 3, "sums");
            Ok(())
        });
        pending::<Result<(), _>>().await
    });
    let payload = AssertUnwindSafe(call).catch_unwind().await.unwrap_err();
    assert!(payload.downcast::<String>().unwrap().contains("sums"));
    assert_eq!(alive.count(), 0);
}

#[tokio::test]
async fn a_panic_of_the_body_is_resumed_when_the_children_have_been_dropped() {
    let alive = Alive::default();
    let call = task_group(async |g| {
        g.spawn(stay(alive.clone()));
        yield_now().await;
        assert_eq!(alive.count(), 2, "one child");
        Ok(())
    });
    let payload = AssertUnwindSafe(call).catch_unwind().await.unwrap_err();
    assert!(payload.downcast::<String>().unwrap().contains("one child"));
    assert_eq!(alive.count(), 0);
}

/// Counts the nodes of a tree of the given depth, each of which is a child that starts its own two.
fn node(g: &TaskGroup<String>, depth: u32, nodes: &Arc<AtomicUsize>) {
    let (group, count) = (g.clone(), Arc::clone(nodes));
    g.spawn(async move {
        count.fetch_add(1, SeqCst);
        yield_now().await;
        if depth > 0 {
            node(&group, depth - 1, &count);
            node(&group, depth - 1, &count);
        }
        Ok(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_start_children() {
    let nodes = Arc::default();
    task_group(async |g| {
        node(&g, 9, &nodes);
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(nodes.load(SeqCst), 1023);
}

#[tokio::test]
async fn dropping_it_leaves_no_task() {
    let runtime = tokio::runtime::Handle::current();
    let before = runtime.metrics().num_alive_tasks();
    let (alive, body) = (Alive::default(), Alive::default());
    {
        let mut call = Box::pin(task_group(async |g| {
            let _life = body.begin();
            for _ in 0..10 {
                let group = g.clone();
                let alive = alive.clone();
                // It holds the group that holds it.
                g.spawn(async move {
                    let _held = group.spawn(stay(alive.clone()));
                    stay(alive).await
                });
            }
            pending::<Result<(), _>>().await
        }));
        assert!(poll_immediate(&mut call).await.is_none());
        yield_now().await;
        yield_now().await;
        assert_eq!(alive.count(), 20);
    }
    assert_eq!(body.count(), 0);
    yield_now().await;
    assert_eq!(alive.count(), 0);
    assert_eq!(runtime.metrics().num_alive_tasks(), before);
}

#[tokio::test]
async fn a_child_that_a_stranger_starts_is_waited_for() {
    let (send, group) = tokio::sync::oneshot::channel::<TaskGroup<String>>();
    let (done, stranger) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let group = group.await.unwrap();
        yield_now().await;
        group.spawn(ready(Err::<(), _>("stranger".to_owned())));
        yield_now().await;
        yield_now().await;
        done.send(AssertUnwindSafe(async { group.spawn(ready(Ok(()))).now_or_never() }).catch_unwind().await.is_err()).unwrap();
    });
    let result = task_group(async move |g| {
        send.send(g.clone()).unwrap();
        pending::<Result<(), _>>().await
    });
    assert_eq!(result.await, Err("stranger".to_owned()));
    assert!(stranger.await.unwrap(), "a group that has ended takes no child");
}

#[tokio::test]
async fn the_body_may_borrow() {
    let names = ["a".to_owned(), "b".to_owned()];
    let mut seen = Vec::new();
    task_group(async |g| {
        for name in &names {
            let length = name.len();
            seen.push(name.as_str());
            assert_eq!(g.spawn(ready(Ok::<_, ()>(length))).await, 1);
        }
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(seen, ["a", "b"]);
}

#[tokio::test]
async fn it_can_be_spawned() {
    let spawned = tokio::spawn(async {
        let name = String::from("x");
        task_group(async |g| {
            let child = g.spawn(ready(Ok::<_, ()>(2)));
            yield_now().await;
            Ok(name.len() + child.await)
        })
        .await
    });
    assert_eq!(spawned.await.unwrap(), Ok(3));
}

/// The body's own error is what it makes of the child's.
async fn feeds_a_writer() -> Result<(), &'static str> {
    task_group(async |g| {
        let (send, mut lines) = tokio::sync::mpsc::channel::<u32>(1);
        g.spawn(async move {
            while let Some(line) = lines.recv().await {
                if line == 3 {
                    return Err("disk full");
                }
            }
            Ok(())
        });
        for line in 0..100 {
            send.send(line).await.map_err(|_| "the writer has gone")?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_error_of_a_child_comes_before_what_the_body_makes_of_it() {
    assert_eq!(feeds_a_writer().await, Err("disk full"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_error_of_a_child_comes_before_what_the_body_makes_of_it_on_other_threads() {
    for _ in 0..300 {
        assert_eq!(tokio::spawn(feeds_a_writer()).await.unwrap(), Err("disk full"));
        assert_eq!(feeds_a_writer().await, Err("disk full"));
    }
}

#[tokio::test]
async fn the_error_of_the_body_comes_before_what_a_child_makes_of_it() {
    let result = task_group(async |g| {
        let (send, mut lines) = tokio::sync::mpsc::channel::<u32>(1);
        g.spawn(async move {
            for line in 0..100 {
                send.send(line).await.map_err(|_| "the reader has gone")?;
            }
            Ok(())
        });
        while let Some(line) = lines.recv().await {
            if line == 3 {
                return Err("not a number");
            }
        }
        Ok(())
    });
    assert_eq!(result.await, Err("not a number"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_error_of_a_child_comes_first_while_the_body_holds_its_thread() {
    let tasks = tokio::runtime::Handle::current().metrics();
    let result = task_group(async |g| {
        g.spawn(ready(Err::<(), _>("child")));
        while tasks.num_alive_tasks() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        Err::<(), _>("body")
    });
    assert_eq!(result.await, Err("child"));
}

struct PanicsWhenDropped(&'static str);

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        std::panic::panic_any(self.0);
    }
}

#[tokio::test]
async fn a_panic_of_a_destructor_is_resumed_when_the_children_have_been_dropped() {
    async fn panics<T: std::fmt::Debug, E: std::fmt::Debug>(call: impl Future<Output = Result<T, E>>) -> &'static str {
        *AssertUnwindSafe(call).catch_unwind().await.unwrap_err().downcast().unwrap()
    }
    #[derive(Debug)]
    enum Failure {
        Plain,
        WithBomb(Bomb),
    }
    #[derive(Debug)]
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any("in the error");
        }
    }
    let alive = Alive::default();
    let children = |g: &TaskGroup<Failure>| {
        for _ in 0..3 {
            let alive = alive.clone();
            g.spawn(async move { stay(alive).await.map_err(|_| Failure::Plain) });
        }
    };
    // A local of the body, which the group drops.
    let call = task_group(async |g| {
        let _bomb = PanicsWhenDropped("in a local");
        children(&g);
        g.spawn(async {
            yield_now().await;
            Err::<(), _>(Failure::Plain)
        });
        pending::<Result<(), _>>().await
    });
    assert_eq!((panics(call).await, alive.count()), ("in a local", 0));
    // An error that is thrown away behind another.
    let call = task_group(async |g| {
        children(&g);
        yield_now().await;
        g.spawn(ready(Err::<(), _>(Failure::Plain)));
        g.spawn(ready(Err::<(), _>(Failure::WithBomb(Bomb))));
        yield_now().await;
        pending::<Result<(), _>>().await
    });
    assert_eq!((panics(call).await, alive.count()), ("in the error", 0));
}

#[tokio::test]
async fn a_value_that_is_thrown_away_does_not_abort_the_process() {
    let call = task_group(async |g| {
        g.spawn(async {
            yield_now().await;
            assert_eq!(1 + 1, 3, "sums");
            Ok::<_, ()>(())
        });
        Ok(PanicsWhenDropped("in the value"))
    });
    let Err(payload) = AssertUnwindSafe(call).catch_unwind().await else { panic!("it panicked") };
    assert!(payload.downcast::<String>().unwrap().contains("sums"));
}
