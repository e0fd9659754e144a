//! Computations that outlive their caller, and callers that outlive a computation.

use steadfast::timeout;

use super::*;

#[tokio::test(start_paused = true)]
async fn callers_with_short_deadlines_still_fill_the_cache() {
    static RUNS: Runs = Runs::new();
    #[timeout(1s)]
    #[async_cached(detached, handle = loads)]
    async fn load(id: u32) -> Result<u32, io::Error> {
        RUNS.add();
        sleep(5 * SECOND).await;
        Ok(id)
    }
    for _ in 0..3 {
        assert_eq!(load(7).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
    sleep(5 * SECOND).await;
    assert_eq!(load(7).await.unwrap(), 7);
    assert_eq!(RUNS.get(), 1);
    let stats = loads().stats();
    assert_eq!((stats.hits, stats.misses, stats.loads, stats.coalesced), (1, 3, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_detached_computation_survives_its_caller_at_each_of_its_awaits() {
    static RUNS: Runs = Runs::new();
    #[async_cached(detached, handle = loads)]
    async fn load(id: u32) -> u32 {
        RUNS.add();
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        id * 2
    }
    for polls in 0..5 {
        let mut call = Box::pin(load(polls));
        for _ in 0..polls {
            if futures::poll!(&mut call).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        sleep(SECOND).await;
        let expected = if polls == 0 { None } else { Some(polls * 2) };
        assert_eq!(loads().get(&polls), expected, "dropped after {polls} polls");
    }
    assert_eq!((RUNS.get(), loads().in_flight()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn borrowed_text_and_slices_are_copied_for_it() {
    #[async_cached(detached, ttl = Duration::from_secs(text.len() as u64), handle = loads)]
    async fn load(mut text: &str, bytes: &[u8], owned: String) -> String {
        tokio::task::yield_now().await;
        text = text.trim();
        format!("{text}{bytes:?}{owned}")
    }
    let local = " ab ".to_owned();
    assert_eq!(load(&local, &[1, 2], "x".to_owned()).await, "ab[1, 2]x");
    assert!(loads().contains(&(" ab ", &[1_u8, 2][..], "x".to_owned())));
    advance(4 * SECOND).await;
    assert_eq!(loads().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_detached_computation_reaches_its_caller() {
    static RUNS: Runs = Runs::new();
    #[async_cached(detached)]
    async fn load() -> usize {
        let run = RUNS.add();
        sleep(SECOND).await;
        assert!(run != 1, "the first run panics");
        run
    }
    let (first, second) = (tokio::spawn(load()), tokio::spawn(load()));
    let panic = first.await.unwrap_err().into_panic();
    assert!(panic.downcast_ref::<&str>().unwrap().contains("the first run panics"));
    assert_eq!(second.await.unwrap(), 2, "who waits computes anew");
}

#[tokio::test(start_paused = true)]
async fn layers_below_go_along_and_layers_above_stay() {
    #[timeout(10s)]
    #[async_cached(detached, handle = loads)]
    #[timeout(2s)]
    #[steadfast::retry(attempts = 2, delay = 0s)]
    async fn load(takes: u64) -> Result<u64, io::Error> {
        sleep(Duration::from_secs(takes)).await;
        Ok(takes)
    }
    assert_eq!(load(1).await.unwrap(), 1);
    assert_eq!(load(5).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!((loads().len(), loads().in_flight()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn recursion_through_a_detached_computation_is_seen() {
    #[async_cached(detached)]
    async fn outer(n: u32) -> Result<u32, io::Error> {
        inner(n).await
    }
    #[async_cached(detached)]
    async fn inner(n: u32) -> Result<u32, io::Error> {
        if n == 0 { Box::pin(call_outer()).await } else { Ok(n) }
    }
    fn call_outer() -> std::pin::Pin<Box<dyn Future<Output = Result<u32, io::Error>> + Send>> {
        Box::pin(outer(0))
    }
    assert_eq!(outer(1).await.unwrap(), 1);
    assert_eq!(outer(0).await.unwrap_err().kind(), io::ErrorKind::Deadlock);
}

#[tokio::test(start_paused = true)]
async fn a_method_that_is_shared() {
    struct Db(u32);
    impl Db {
        #[async_cached(skip(self), ttl = 1s, stale_while_revalidate = 5s)]
        async fn get(self: Arc<Self>, id: u32) -> u32 {
            tokio::task::yield_now().await;
            self.0 + id
        }
    }
    let db = Arc::new(Db(3));
    assert_eq!(Arc::clone(&db).get(4).await, 7);
    sleep(2 * SECOND).await;
    assert_eq!(Arc::clone(&db).get(4).await, 7);
}

#[tokio::test(start_paused = true)]
async fn who_waits_goes_on_when_the_computing_caller_is_never_polled_again() {
    static RUNS: Runs = Runs::new();
    #[async_cached(load_timeout = 5s, handle = loads)]
    async fn load() -> usize {
        let run = RUNS.add();
        sleep(SECOND).await;
        run
    }
    let mut parked = Box::pin(load());
    assert!(futures::poll!(&mut parked).is_pending());
    let waiters: Vec<_> = (0..100).map(|_| tokio::spawn(load())).collect();
    sleep(Duration::from_millis(4_900)).await;
    assert_eq!(RUNS.get(), 1);
    let all: Vec<usize> = join_all(waiters).await.into_iter().map(Result::unwrap).collect();
    assert!(all.iter().all(|run| *run == 2), "one of them computed for all");
    assert_eq!((RUNS.get(), loads().get(&())), (2, Some(2)));
    assert_eq!(parked.await, 1, "it gets its own result");
    assert_eq!(loads().get(&()), Some(2), "which is not stored");
    let stats = loads().stats();
    assert_eq!((stats.misses, stats.loads + stats.coalesced, stats.loads), (101, 101, 2));
    assert_eq!(loads().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn each_computation_has_its_own_load_timeout() {
    static RUNS: Runs = Runs::new();
    #[async_cached(load_timeout = Duration::from_secs(5))]
    async fn load() -> usize {
        let run = RUNS.add();
        sleep(4 * SECOND).await;
        run
    }
    let leader = tokio::spawn(load());
    sleep(3 * SECOND).await;
    let waiter = tokio::spawn(load());
    leader.abort();
    assert_eq!(waiter.await.unwrap(), 2);
    let late = tokio::spawn(load());
    assert_eq!(late.await.unwrap(), 2);
    assert_eq!(RUNS.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_slow_computation_that_is_given_up_still_serves_its_own_caller() {
    static RUNS: Runs = Runs::new();
    #[async_cached(load_timeout = 2s, handle = loads)]
    async fn load() -> usize {
        let run = RUNS.add();
        sleep(3 * SECOND).await;
        run
    }
    let (first, second) = join!(load(), load());
    assert_eq!((first, second), (1, 2));
    assert_eq!((loads().get(&()), loads().in_flight()), (Some(2), 0));
}
