//! `gather` and its variants, `task_group`, `WorkerPool`, `offload`, `blocking_stream`.

use std::sync::Arc;

use steadfast::{
    BlockingPool, WorkerPool, blocking_stream, gather, gather_local, offload, offload_blocking, task_group, try_gather,
    try_gather_local,
};

use crate::{Code, HOUR, Pending, Probe, Script, Subject, awaited, breathe, caller, disappointed, rows, touch};

mod gathered {
    use super::*;

    async fn one(script: Arc<Script>, n: u32) -> Result<Probe, Probe> {
        let probe = script.probe(n);
        for _ in 0..n {
            breathe().await;
        }
        if n == 3 { Err(probe) } else { Ok(probe) }
    }

    fn futures(script: &Arc<Script>) -> impl Iterator<Item: Future<Output = Result<Probe, Probe>> + Send + 'static> + Send + use<> {
        let script = Arc::clone(script);
        let captured = script.probe(9);
        (0..6).map(move |n| {
            captured.hit(Code::Iterator);
            one(Arc::clone(&script), n)
        })
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let callers: Vec<_> = (0..4)
                .map(|kind| {
                    let script = Arc::clone(&script);
                    caller(async move {
                        let futures = futures(&script);
                        let error = match kind {
                            0 => return awaited(&script, gather(futures).limit(2)).await.len() == 6,
                            1 => return awaited(&script, gather_local(futures)).await.len() == 6,
                            2 => awaited(&script, try_gather(futures)).await.map(drop).unwrap_err(),
                            _ => awaited(&script, try_gather_local(futures).limit(2)).await.map(drop).unwrap_err(),
                        };
                        error.n == 3
                    })
                })
                .collect();
            disappointed(callers).await
        })
    }

    fn call_back(_: u32) {
        touch(gather([async { 1 }]));
    }

    fn healthy(_: u32) -> Pending<()> {
        // No future is left: it would be woken, or count as a task.
        Box::pin(async {
            breathe().await;
            assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
        })
    }

    rows! { Subject { scenario, call_back, healthy };
        the_iterator: Iterator BOTH;
        drop_of_outputs_errors_and_iterator: Drop BOTH;
        wake_of_a_caller: Wake BOTH;
        drop_of_a_callers_waker: WakerDrop BOTH;
    }
}

mod grouped {
    use super::*;

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let callers: Vec<_> = (0..4)
                .map(|kind| {
                    let script = Arc::clone(&script);
                    caller(async move {
                        let group = task_group(async |g| {
                            let _local = script.probe(8);
                            let children: Vec<_> = (0..3)
                                .map(|n| {
                                    let probe = script.probe(n);
                                    g.spawn(async move {
                                        breathe().await;
                                        if kind == 1 && probe.n == 1 { Err(probe) } else { Ok(probe) }
                                    })
                                })
                                .collect();
                            let mut values = Vec::new();
                            for child in children {
                                values.push(child.await);
                            }
                            if kind == 2 { Err(script.probe(7)) } else { Ok(values) }
                        });
                        match awaited(&script, group).await {
                            Ok(values) => values.len() == 3,
                            Err(error) => error.n == if kind == 1 { 1 } else { 7 },
                        }
                    })
                })
                .collect();
            disappointed(callers).await
        })
    }

    fn call_back(_: u32) {
        touch(task_group(async |g| {
            g.spawn(async { Ok::<_, ()>(()) });
            Ok(())
        }));
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async {
            breathe().await;
            breathe().await;
            assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
        })
    }

    rows! { Subject { scenario, call_back, healthy };
        drop_of_locals_values_and_errors: Drop BOTH;
        wake_of_a_caller: Wake BOTH;
        drop_of_a_callers_waker: WakerDrop BOTH;
    }

    /// A waker that is the last to know a task, which starts a child when it goes.
    #[test]
    fn drop_of_a_waker_that_starts_a_child() {
        struct Starts(steadfast::TaskGroup<()>, Arc<std::sync::atomic::AtomicU32>);
        impl Drop for Starts {
            fn drop(&mut self) {
                self.0.spawn(async { Ok(()) });
                self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        }
        impl std::task::Wake for Starts {
            fn wake(self: Arc<Self>) {}
        }
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _entered = runtime.enter();
            let started = Arc::new(std::sync::atomic::AtomicU32::new(0));
            let (send, group) = std::sync::mpsc::channel();
            let mut call = Box::pin(task_group(async |g| {
                send.send(g.clone()).unwrap();
                std::future::pending::<Result<(), ()>>().await
            }));
            let mut idle = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(call.as_mut().poll(&mut idle).is_pending());
            let group = group.recv().unwrap();
            for _ in 0..3 {
                let waker = std::task::Waker::from(Arc::new(Starts(group.clone(), Arc::clone(&started))));
                let mut cx = std::task::Context::from_waker(&waker);
                assert!(call.as_mut().poll(&mut cx).is_pending());
            }
            assert!(call.as_mut().poll(&mut idle).is_pending());
            done.send(started.load(std::sync::atomic::Ordering::SeqCst)).unwrap();
        });
        assert_eq!(ended.recv_timeout(std::time::Duration::from_secs(60)).expect("a deadlock"), 3);
    }
}

mod pooled {
    use super::*;

    fn pool(script: &Arc<Script>) -> Arc<WorkerPool<Probe>> {
        let script = Arc::clone(script);
        Arc::new(WorkerPool::new(1, 2, move |job: Probe| {
            script.hit(Code::Closure);
            let script = Arc::clone(&script);
            async move {
                breathe().await;
                if job.n == 1 { Err(script.probe(1)) } else { Ok(script.probe(job.n)) }
            }
        }))
    }

    std::thread_local! {
        static POOL: std::cell::RefCell<Option<Arc<WorkerPool<Probe>>>> = const { std::cell::RefCell::new(None) };
    }

    fn call_back(_: u32) {
        let pool = POOL.with_borrow(Clone::clone);
        if let Some(pool) = pool {
            drop(pool.try_submit(Probe::quiet(0)));
            assert!(pool.queued() <= 2);
        }
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let pool = pool(&script);
            POOL.set(Some(Arc::clone(&pool)));
            let callers: Vec<_> = (0..5)
                .map(|n| {
                    let (pool, script) = (Arc::clone(&pool), Arc::clone(&script));
                    caller(async move { awaited(&script, pool.submit(script.probe(n))).await.is_ok() })
                })
                .collect();
            let disappointed = disappointed(callers).await;
            awaited(&script, pool.join()).await;
            // Its worker lives.
            assert!(pool.submit(Probe::quiet(0)).await.is_ok());
            let report = pool.shutdown(HOUR).await;
            assert_eq!(report.never_started.len(), 0);
            disappointed
        })
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async {
            let pool = POOL.take();
            drop(pool);
        })
    }

    rows! { Subject { scenario, call_back, healthy };
        the_handler: Closure BOTH;
        drop_of_jobs_and_results: Drop BOTH;
        display_of_an_error: Display BOTH;
        // The queue (`async-channel`) wakes under a lock of its own, which a waker that panics poisons.
        wake_of_one_who_waits: Wake CALL_BACK;
        drop_of_a_waker_of_one_who_waits: WakerDrop CALL_BACK;
    }
}

mod offloaded {
    use super::*;

    #[offload_blocking(limit = 1)]
    fn job(probe: Probe) -> Result<Probe, steadfast::Error> {
        probe.hit(Code::Closure);
        Ok(probe.copy())
    }

    fn call_back(_: u32) {
        // In a job there may be no runtime.
        if tokio::runtime::Handle::try_current().is_ok() {
            touch(job(Probe::quiet(0)));
            touch(offload(|| 1));
        }
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let callers: Vec<_> = (0..4)
                .map(|n| {
                    let script = Arc::clone(&script);
                    caller(async move {
                        if n == 3 {
                            drop(futures::future::poll_immediate(Box::pin(job(script.probe(n)))).await);
                            return true;
                        }
                        awaited(&script, job(script.probe(n))).await.is_ok_and(|probe| probe.n == n)
                    })
                })
                .collect();
            disappointed(callers).await
        })
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async {
            assert_eq!(job(Probe::quiet(5)).await.map(|probe| probe.n), Ok(5));
        })
    }

    // One after another: a job of one row's would hold the place that another's waits for, with a clock that does not know of it.
    #[test]
    fn jobs_arguments_results_and_wakers_of_callers() {
        for code in [Code::Closure, Code::Drop, Code::Wake, Code::WakerDrop] {
            crate::row(&Subject { scenario, call_back, healthy }, code, crate::BOTH);
        }
    }
}

mod own_pool {
    use super::*;

    static POOL: BlockingPool = BlockingPool::new("user-code", 1);

    #[offload_blocking(pool = POOL)]
    fn job(probe: Probe) -> Result<Probe, steadfast::Error> {
        probe.hit(Code::Closure);
        Ok(probe.copy())
    }

    fn call_back(_: u32) {
        if tokio::runtime::Handle::try_current().is_ok() {
            touch(job(Probe::quiet(0)));
        }
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let callers: Vec<_> = (0..4)
                .map(|n| {
                    let script = Arc::clone(&script);
                    caller(async move {
                        if n == 2 {
                            drop(futures::future::poll_immediate(Box::pin(job(script.probe(n)))).await);
                            return true;
                        }
                        awaited(&script, job(script.probe(n))).await.is_ok_and(|probe| probe.n == n)
                    })
                })
                .collect();
            disappointed(callers).await
        })
    }

    fn healthy(_: u32) -> Pending<()> {
        // Its only thread lives.
        Box::pin(async { assert_eq!(job(Probe::quiet(5)).await.map(|probe| probe.n), Ok(5)) })
    }

    // One after another: they share a thread.
    #[test]
    fn jobs_arguments_results_and_wakers_of_callers() {
        for code in [Code::Closure, Code::Drop, Code::Wake, Code::WakerDrop] {
            crate::row(&Subject { scenario, call_back, healthy }, code, crate::BOTH);
        }
    }
}

mod streamed {
    use super::*;

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let producer = {
                let script = Arc::clone(&script);
                move |items: steadfast::BlockingSender<Probe>| {
                    script.hit(Code::Closure);
                    for n in 0..3 {
                        items.send(script.probe(n))?;
                    }
                    Err::<(), Box<dyn std::error::Error + Send + Sync>>(Box::new(script.probe(3)))
                }
            };
            let mut stream = blocking_stream(8, producer);
            let callers = [caller(async move {
                let mut items = 0;
                while let Some(item) = awaited(&script, stream.next()).await {
                    items += u32::from(item.is_ok());
                }
                items == 3
            })];
            disappointed(callers).await
        })
    }

    fn call_back(_: u32) {
        if tokio::runtime::Handle::try_current().is_ok() {
            let mut stream = blocking_stream(1, |items| items.send(1));
            touch(stream.next());
        }
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async {
            let mut stream = blocking_stream(1, |items| items.send(1));
            assert!(stream.next().await.is_some_and(|item| item == Ok(1)));
        })
    }

    rows! { Subject { scenario, call_back, healthy };
        the_producer: Closure BOTH;
        drop_of_items_and_errors: Drop BOTH;
        wake_of_the_consumer: Wake BOTH;
        drop_of_the_consumers_waker: WakerDrop BOTH;
    }
}
