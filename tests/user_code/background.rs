//! Work that continues without its caller: `spawn_logged`, `drain`, `shield`, `finally`, `with_resource`, the report hook.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use futures::future::poll_immediate;
use steadfast::{Exit, ReportKind, drain, drain_all, finally, shield, spawn_logged, with_resource};

use crate::{
    Code, Deed, HOUR, Pending, Probe, REPORTS, SECOND, Script, Subject, awaited, breathe, caller, disappointed, rows, touch,
};

fn callback(_: u32) {
    spawn_logged("callback", async {});
    touch(drain(SECOND));
    touch(drain_all(SECOND));
}

/// Nothing is left, and what is begun ends.
fn healthy(_: u32) -> Pending<()> {
    Box::pin(async {
        spawn_logged("healthy", async {});
        assert!(drain(HOUR).await.is_complete());
    })
}

/// A future of the user's that drops its probe after its end.
struct Ends(Probe, bool);

impl Future for Ends {
    type Output = Result<Probe, Probe>;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        if !std::mem::replace(&mut self.1, true) {
            cx.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        let output = self.0.copy();
        std::task::Poll::Ready(if output.n.is_multiple_of(2) { Ok(output) } else { Err(output) })
    }
}

mod logged {
    use super::*;

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let innocent = Arc::new(AtomicU32::new(0));
            // A name of this attempt's own, by which its reports are known.
            let name: &'static str = Box::leak(format!("probe {}", script.run).into_boxed_str());
            for n in 0..2 {
                let innocent = Arc::clone(&innocent);
                spawn_logged(name, Ends(script.probe(n), false));
                spawn_logged("innocent", async move {
                    breathe().await;
                    innocent.fetch_add(1, SeqCst);
                });
            }
            let drains = [
                caller({
                    let script = Arc::clone(&script);
                    async move {
                        // What a callback has begun at the last moment is told, too.
                        let drained = awaited(&script, drain(HOUR)).await;
                        drained.running.iter().all(|&name| name == "callback")
                    }
                }),
                caller(async { drain(HOUR).await.is_complete() }),
            ];
            let disappointed = disappointed(drains).await;
            assert!(drain(HOUR).await.is_complete());
            assert_eq!(innocent.load(SeqCst), 2);
            // One has failed, whatever its error does. A panic of a destructor is told, too, and that of a `Display` as the error that it is.
            let reports = REPORTS.lock().unwrap();
            let of_kind = |kind| reports.iter().filter(|report| report.name() == name && report.kind() == kind).count();
            let dropped = script.code == Code::Drop && script.deed == Deed::Panic && script.at.is_some();
            assert_eq!(of_kind(ReportKind::Panic), usize::from(dropped));
            assert!(of_kind(ReportKind::Error) == 1 || dropped);
            disappointed
        })
    }

    rows! { Subject { scenario, call_back: callback, healthy };
        drop_of_futures_values_and_errors: Drop BOTH;
        display_of_an_error: Display BOTH;
        wake_of_one_who_drains: Wake BOTH;
        drop_of_a_waker_of_one_who_drains: WakerDrop BOTH;
    }
}

mod shielded {
    use super::*;

    #[shield]
    async fn work(probe: Probe) -> Result<Probe, Probe> {
        breathe().await;
        let output = probe.copy();
        if probe.n.is_multiple_of(2) { Ok(output) } else { Err(output) }
    }

    fn call_back(run: u32) {
        callback(run);
        touch(work(Probe::quiet(0)));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let callers: Vec<_> = (0..4)
                .map(|n| {
                    let script = Arc::clone(&script);
                    caller(async move {
                        if n > 1 {
                            return awaited(&script, work(script.probe(n))).await.is_ok() == n.is_multiple_of(2);
                        }
                        // It goes, the first while the work runs, the second when it has left its result.
                        let mut call = Box::pin(work(script.probe(n)));
                        assert!(poll_immediate(&mut call).await.is_none());
                        for _ in 0..5 * n {
                            breathe().await;
                        }
                        true
                    })
                })
                .collect();
            disappointed(callers).await
        })
    }

    rows! { Subject { scenario, call_back, healthy };
        drop_of_arguments_and_results: Drop BOTH;
        display_of_an_unread_error: Display BOTH;
        wake_of_a_caller: Wake BOTH;
        drop_of_a_callers_waker: WakerDrop BOTH;
    }
}

mod shown {
    use super::*;

    /// Without `Display`.
    struct Shown(Probe);

    impl std::fmt::Debug for Shown {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:?}", self.0)
        }
    }

    #[shield]
    async fn work(probe: Probe) -> Result<(), Shown> {
        breathe().await;
        Err(Shown(probe.copy()))
    }

    fn call_back(run: u32) {
        callback(run);
        touch(work(Probe::quiet(0)));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            drop(poll_immediate(Box::pin(work(script.probe(0)))).await);
            usize::from(!drain(HOUR).await.is_complete())
        })
    }

    rows! { Subject { scenario, call_back, healthy };
        debug_of_an_unread_error: Debug BOTH;
    }
}

mod cleaned {
    use super::*;

    async fn clean(probe: Probe, _: Exit) -> Result<(), Probe> {
        probe.hit(Code::Closure);
        breathe().await;
        Err(probe.copy())
    }

    #[finally(|exit| clean(probe, exit))]
    async fn work(probe: Probe) -> Result<u32, Probe> {
        breathe().await;
        Ok(probe.n)
    }

    fn call_back(run: u32) {
        callback(run);
        touch(work(Probe::quiet(0)));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let callers: Vec<_> = (0..3)
                .map(|n| {
                    let script = Arc::clone(&script);
                    caller(async move {
                        if n == 0 {
                            return poll_immediate(Box::pin(work(script.probe(0)))).await.is_none();
                        }
                        awaited(&script, work(script.probe(n))).await.is_ok_and(|value| value == n)
                    })
                })
                .collect();
            disappointed(callers).await
        })
    }

    rows! { Subject { scenario, call_back, healthy };
        the_cleanup: Closure BOTH;
        clone_of_what_it_names: Clone BOTH;
        drop_of_what_it_names: Drop BOTH;
        display_of_its_error: Display BOTH;
        wake_of_a_caller: Wake BOTH;
    }
}

mod released {
    use super::*;

    async fn work(script: Arc<Script>, n: u32) -> Result<Probe, Probe> {
        with_resource(
            async { Ok(script.probe(n)) },
            async |probe| {
                breathe().await;
                if probe.n == 1 { Err(script.probe(1)) } else { Ok(script.probe(probe.n)) }
            },
            async |probe: Probe, _| {
                probe.hit(Code::Closure);
                breathe().await;
                if probe.n == 0 { Ok(()) } else { Err(probe.copy()) }
            },
        )
        .await
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let callers: Vec<_> = (0..4)
                .map(|n| {
                    let script = Arc::clone(&script);
                    caller(async move {
                        if n == 3 {
                            return poll_immediate(Box::pin(work(script, n))).await.is_none();
                        }
                        match awaited(&script, work(Arc::clone(&script), n)).await {
                            Ok(value) => value.n == 0,
                            Err(error) => error.n == n,
                        }
                    })
                })
                .collect();
            disappointed(callers).await
        })
    }

    rows! { Subject { scenario, call_back: callback, healthy };
        the_release: Closure BOTH;
        drop_of_resources_values_and_errors: Drop BOTH;
        display_of_a_releases_error: Display BOTH;
        wake_of_a_caller: Wake BOTH;
    }
}

/// The hook is one for the process: its row has a process of its own.
#[test]
fn the_hook_may_report_and_be_replaced_from_within() {
    let this = std::env::current_exe().unwrap();
    let child =
        std::process::Command::new(this).args(["--exact", "background::in_a_process_of_its_own", "--ignored"]).output().unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}

#[test]
#[ignore = "it sets the report hook"]
fn in_a_process_of_its_own() {
    static TOLD: AtomicU32 = AtomicU32::new(0);
    struct Reports;
    impl Drop for Reports {
        fn drop(&mut self) {
            spawn_logged("from a destructor", async {});
            TOLD.fetch_add(1, SeqCst);
        }
    }
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let captured = Reports;
        steadfast::on_report(move |report| {
            let _captured = &captured;
            if report.name() == "first" {
                spawn_logged("second", async {});
                steadfast::on_report(|_| {
                    TOLD.fetch_add(10, SeqCst);
                    panic!("in the hook")
                });
                panic!("in the hook");
            }
        });
        spawn_logged("first", async {});
        spawn_logged("third", async {});
        done.send(()).unwrap();
    });
    ended.recv_timeout(std::time::Duration::from_secs(60)).expect("it hangs");
    // `second` still goes to the first hook, since it is told before the other is set.
    assert_eq!(TOLD.load(SeqCst), 21, "the destructor's report, and the third");
}
