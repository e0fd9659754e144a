//! `#[shield]`: what has started completes, with or without its caller.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(clippy::items_after_statements, reason = "each function stands where it is tested")]

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use steadfast::{Error, async_cached, coalesce, concurrency_limit, retry, shield, timeout};
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn arguments_with_raw_names() {
    #[shield]
    async fn raw(r#type: &str, r#in: &[u8]) -> usize {
        tokio::task::yield_now().await;
        r#type.len() + r#in.len()
    }
    assert_eq!(raw("raw", &[1, 2]).await, 5);
}

#[tokio::test(start_paused = true)]
async fn it_finishes_when_the_caller_goes_away_at_any_of_its_awaits() {
    static FINISHED: AtomicUsize = AtomicUsize::new(0);
    #[shield]
    async fn write(id: usize) -> usize {
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        FINISHED.fetch_add(1, SeqCst);
        id
    }
    for polls in 0..6 {
        let mut call = Box::pin(write(polls));
        for _ in 0..polls {
            if futures::poll!(&mut call).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        sleep(SECOND).await;
        assert_eq!(FINISHED.load(SeqCst), polls, "after {polls} polls: one that was never polled never starts");
    }
    assert_eq!(write(9).await, 9);
}

#[tokio::test(start_paused = true)]
async fn layers_above_bound_the_wait_and_layers_below_the_work() {
    static FINISHED: AtomicUsize = AtomicUsize::new(0);
    #[timeout(1s)]
    #[shield]
    #[retry(attempts = 2, delay = 0s)]
    #[timeout(3s)]
    async fn write(takes: u64) -> Result<(), Error> {
        sleep(Duration::from_secs(takes)).await;
        FINISHED.fetch_add(1, SeqCst);
        Ok(())
    }
    assert!(write(2).await.unwrap_err().is_timeout());
    assert_eq!(FINISHED.load(SeqCst), 0);
    sleep(2 * SECOND).await;
    assert_eq!(FINISHED.load(SeqCst), 1);
    assert!(write(5).await.unwrap_err().is_timeout());
    sleep(10 * SECOND).await;
    assert_eq!(FINISHED.load(SeqCst), 1, "the inner deadline holds");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_the_callers_and_what_nobody_sees_is_told_once() {
    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    // The other tests of this process report as well.
    steadfast::on_report(|report| {
        if report.name().starts_with("fails") {
            TOLD.lock().unwrap().push(report.to_string());
        }
    });
    #[shield]
    async fn fails(how: u32) -> Result<(), io::Error> {
        sleep(SECOND).await;
        assert!(how != 1, "as it was told");
        Err(io::Error::other("no space"))
    }
    let panic = tokio::spawn(fails(1)).await.unwrap_err().into_panic();
    assert!(panic.downcast_ref::<&str>().unwrap().contains("as it was told"));
    assert_eq!(fails(2).await.unwrap_err().to_string(), "no space");
    assert!(TOLD.lock().unwrap().is_empty(), "its caller has it");
    for how in [1, 2] {
        assert!(tokio::time::timeout(SECOND / 2, fails(how)).await.is_err());
        sleep(SECOND).await;
    }
    let told = std::mem::take(&mut *TOLD.lock().unwrap());
    assert_eq!(told, ["`fails` panicked in the background: as it was told", "`fails` failed in the background: no space"]);

    /// Without `Display`.
    #[derive(Debug)]
    struct Full {
        _left: u32,
    }
    #[shield]
    async fn fails_shown() -> Result<(), Full> {
        sleep(SECOND).await;
        Err(Full { _left: 3 })
    }
    /// Without even `Debug`.
    struct Mute;
    #[shield]
    async fn fails_mutely() -> Result<(), Mute> {
        sleep(SECOND).await;
        Err(Mute)
    }
    assert!(tokio::time::timeout(SECOND / 2, fails_shown()).await.is_err());
    sleep(SECOND).await;
    assert!(tokio::time::timeout(SECOND / 2, fails_mutely()).await.is_err());
    sleep(SECOND).await;
    let told = TOLD.lock().unwrap().clone();
    let shown = "`fails_shown` failed in the background: Full { _left: 3 }";
    assert_eq!(told, [shown, "`fails_mutely` failed in the background: error type implements neither `Display` nor `Debug`"]);
}

#[tokio::test(start_paused = true)]
async fn borrowed_text_is_copied_and_trackers_count() {
    struct Db {
        tracker: TaskTracker,
        rows: Mutex<Vec<String>>,
    }
    impl Db {
        #[shield(tracker = self.tracker)]
        async fn insert(self: Arc<Self>, name: &str, tags: &[u32]) -> usize {
            sleep(SECOND).await;
            let mut rows = self.rows.lock().unwrap();
            rows.push(format!("{name}{tags:?}"));
            rows.len()
        }
    }
    let db = Arc::new(Db { tracker: TaskTracker::new(), rows: Mutex::default() });
    assert_eq!(Arc::clone(&db).insert("a", &[1]).await, 1);
    assert!(tokio::time::timeout(SECOND / 2, Arc::clone(&db).insert("b", &[])).await.is_err());
    assert_eq!(db.tracker.len(), 1);
    db.tracker.close();
    db.tracker.wait().await;
    assert_eq!(*db.rows.lock().unwrap(), ["a[1]", "b[]"]);
}

#[tokio::test(start_paused = true)]
async fn drain_waits_for_it() {
    static FINISHED: AtomicUsize = AtomicUsize::new(0);
    #[shield]
    async fn drained_write() {
        sleep(SECOND).await;
        FINISHED.fetch_add(1, SeqCst);
    }
    assert!(tokio::time::timeout(SECOND / 2, drained_write()).await.is_err());
    steadfast::drain(60 * SECOND).await;
    assert_eq!(FINISHED.load(SeqCst), 1);
}

#[test]
fn a_runtime_that_shuts_down_is_an_error_and_no_panic() {
    #[shield]
    async fn stuck() -> Result<(), Error> {
        std::future::pending().await
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let mut call = Box::pin(stuck());
    runtime.block_on(async { assert!(futures::poll!(&mut call).is_pending()) });
    drop(runtime);
    let refused = futures::executor::block_on(call).unwrap_err();
    assert!(refused.is_shutdown());
}

#[tokio::test(start_paused = true)]
async fn no_half_done_transfer_is_left_whoever_is_dropped_and_when() {
    #[shield]
    async fn transfer(from: Arc<Mutex<(i32, i32)>>) {
        from.lock().unwrap().0 -= 10;
        tokio::task::yield_now().await;
        from.lock().unwrap().1 += 10;
    }
    let awaits = steadfast::testing::cancel_at_every_await(
        async || Arc::new(Mutex::new((100, 0))),
        async |accounts: &mut Arc<Mutex<(i32, i32)>>| transfer(Arc::clone(accounts)).await,
        async |accounts: &Arc<Mutex<(i32, i32)>>| {
            let (from, to) = *accounts.lock().unwrap();
            assert_eq!(from + to, 100);
        },
    )
    .await;
    assert!(awaits > 0);
}

#[tokio::test(start_paused = true)]
async fn in_generic_impls_and_functions() {
    struct Rows<T>(Mutex<Vec<T>>);
    impl<T: Clone + Send + 'static> Rows<T> {
        #[shield]
        #[timeout(1s)]
        async fn push(self: Arc<Self>, row: T) -> Option<usize> {
            tokio::task::yield_now().await;
            let mut rows = self.0.lock().unwrap();
            rows.push(row);
            Some(rows.len())
        }
    }
    #[shield]
    async fn twice<T, const N: usize>(values: [T; N]) -> usize
    where
        T: Send + 'static,
    {
        drop(values);
        N * 2
    }
    let rows = Arc::new(Rows(Mutex::new(Vec::new())));
    assert_eq!(Arc::clone(&rows).push("a".to_owned()).await, Some(1));
    assert_eq!(Arc::clone(&rows).push("b".to_owned()).await, Some(2));
    assert_eq!(twice([1, 2, 3]).await, 6);
}

#[tokio::test(start_paused = true)]
async fn below_layers_that_wait_in_the_recommended_order() {
    #[async_cached(handle = kept)]
    #[concurrency_limit(1)]
    #[timeout(5s)]
    #[shield]
    async fn slow(id: String, text: &str) -> Option<usize> {
        sleep(2 * SECOND).await;
        Some(id.len() + text.len())
    }
    #[coalesce]
    #[shield]
    async fn shared(id: String) -> usize {
        sleep(SECOND).await;
        id.len()
    }
    #[async_cached(ttl = 1min)]
    #[timeout(10s)]
    #[retry(clone(id))]
    #[timeout(5s)]
    #[shield]
    async fn retried(id: String) -> Option<usize> {
        tokio::task::yield_now().await;
        Some(id.len())
    }
    let all = futures::future::join_all((0..10).map(|_| slow("ab".to_owned(), "c"))).await;
    assert!(all.iter().all(|one| *one == Some(3)));
    assert_eq!(kept().stats().loads, 1);
    assert_eq!(tokio::join!(shared("ab".to_owned()), shared("ab".to_owned())), (2, 2));
    assert_eq!(retried("abc".to_owned()).await, Some(3));
}

/// Says when it is dropped.
struct Dropped(&'static str, Arc<Mutex<Vec<&'static str>>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0);
    }
}

/// An argument that the body does not mention, such as a permit, goes along to the task: under a `retry`, too, whose attempts only borrow.
#[tokio::test(start_paused = true)]
async fn an_unmentioned_argument_lives_as_long_as_the_work() {
    #[shield]
    #[retry]
    async fn work(_guard: Dropped, named: Dropped) -> Option<u32> {
        sleep(Duration::from_millis(500)).await;
        let _ = &named;
        Some(1)
    }

    let drops = Arc::new(Mutex::new(Vec::new()));
    let call = work(Dropped("guard", drops.clone()), Dropped("named", drops.clone()));
    assert!(tokio::time::timeout(Duration::from_millis(100), call).await.is_err());
    assert_eq!(drops.lock().unwrap().as_slice(), &[] as &[&str], "the work goes on, and with it the guard");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(drops.lock().unwrap().as_slice(), &["named", "guard"], "last first, as without attributes");
}
