//! Waiters of `concurrency_limit`, `offload_blocking(limit)` and `rate_limit` that are admitted and not polled.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures::future::{join, join_all};
use futures::poll;
use steadfast::{ConcurrencyLimiter, Error, RateLimiter, concurrency_limit, offload_blocking, rate_limit};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, timeout};

const MS: Duration = Duration::from_millis(1);
/// For how long a permit is kept for a waiter that is not polled.
const GRACE: Duration = Duration::from_millis(100);

struct Shop {
    limiter: ConcurrencyLimiter,
    running: Cell<usize>,
    /// Who came in, and when.
    log: RefCell<Vec<(usize, Duration)>>,
    started: Instant,
}

struct Inside<'a>(&'a Shop);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.running.set(self.0.running.get() - 1);
    }
}

impl Shop {
    fn new(limit: usize) -> Self {
        let limiter = ConcurrencyLimiter::new(limit);
        Self { limiter, running: Cell::default(), log: RefCell::default(), started: Instant::now() }
    }

    async fn run(&self, name: usize, time: Duration) {
        self.running.set(self.running.get() + 1);
        let _inside = Inside(self);
        assert!(self.running.get() <= self.limiter.limit(), "{} at once", self.running.get());
        self.log.borrow_mut().push((name, self.started.elapsed()));
        sleep(time).await;
    }

    #[concurrency_limit(self.limiter, or_else = |_| unreachable!())]
    async fn visit(&self, name: usize, time: Duration) {
        self.run(name, time).await;
    }

    #[concurrency_limit(self.limiter, max_wait = patience)]
    async fn try_visit(&self, name: usize, time: Duration, patience: Duration) -> Result<(), Error> {
        self.run(name, time).await;
        Ok(())
    }

    fn came_in(&self, name: usize) -> Option<Duration> {
        self.log.borrow().iter().find(|(who, _)| *who == name).map(|(_, at)| *at)
    }
}

/// Polled once, and kept.
fn kept<F: Future>(call: F) -> Pin<Box<F>> {
    let mut call = Box::pin(call);
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    call
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_nobody_takes_up_goes_to_the_next() {
    let shop = Shop::new(1);
    let holder = kept(shop.visit(0, 50 * MS));
    let overtaken = kept(shop.visit(1, MS));
    let next = async {
        shop.visit(2, MS).await;
        shop.visit(3, 5 * MS).await;
    };
    let late = async {
        // In the time of the third, which runs.
        sleep(153 * MS).await;
        let behind = shop.visit(4, MS);
        join(behind, overtaken).await;
    };
    join(join(holder, next), late).await;
    let log: Vec<_> = shop.log.borrow().iter().map(|(who, at)| (*who, at.as_millis())).collect();
    // It is at the front again as soon as it is polled.
    assert_eq!(log, [(0, 0), (2, 150), (3, 151), (1, 156), (4, 157)]);
    assert_eq!((shop.limiter.running(), shop.limiter.waiting()), (0, 0));
}

/// Where nobody else waits, it is for whoever comes next.
#[tokio::test(start_paused = true)]
async fn a_permit_that_nobody_takes_up_goes_to_a_newcomer() {
    for patience in [Duration::ZERO, MS, Duration::MAX / 4] {
        let shop = Shop::new(1);
        let holder = kept(shop.visit(0, 10 * MS));
        let overtaken = kept(shop.visit(1, MS));
        holder.await;
        assert!(shop.try_visit(2, MS, Duration::ZERO).await.unwrap_err().is_saturated());
        sleep(99 * MS).await;
        assert!(shop.try_visit(3, MS, Duration::ZERO).await.unwrap_err().is_saturated());
        sleep(MS).await;
        for name in 4..8 {
            shop.try_visit(name, MS, patience).await.unwrap();
        }
        assert_eq!((shop.limiter.running(), shop.limiter.waiting()), (0, 1));
        overtaken.await;
        assert_eq!(shop.came_in(1), Some(114 * MS));
        assert_eq!((shop.limiter.running(), shop.limiter.waiting()), (0, 0));
    }
}

/// Nobody but the last is polled, and nobody comes: who notices?
#[tokio::test(start_paused = true)]
async fn a_row_of_waiters_that_are_not_polled_costs_few_graces() {
    for row in [1, 2, 3, 10, 100, 1_000] {
        let shop = Shop::new(1);
        let holder = kept(shop.visit(0, 10 * MS));
        let mut waiters = Vec::new();
        for name in 1..=row {
            waiters.push(kept(shop.visit(name, MS)));
        }
        let last = shop.visit(row + 1, MS);
        join(holder, last).await;
        // Twice as many are asked each time.
        let graces = usize::BITS - row.leading_zeros();
        let waited = shop.came_in(row + 1).unwrap() - 10 * MS;
        assert!(waited <= graces * GRACE, "{row}: {waited:?}");
        // That was once and for all.
        shop.visit(row + 2, MS).await;
        assert_eq!(shop.came_in(row + 2), Some(10 * MS + waited + MS));
        for waiter in &mut waiters {
            waiter.await;
        }
        assert!(shop.log.borrow()[3..].is_sorted(), "first come, first served again");
    }
}

/// No runtime is entered where the permit is given back, and the waiters have no timer of their own.
#[test]
fn a_permit_that_comes_from_outside_of_a_runtime() {
    static LIMITER: ConcurrencyLimiter = ConcurrencyLimiter::new(1);
    #[concurrency_limit(LIMITER, or_else = |_| unreachable!())]
    async fn work(hold: Option<std::sync::mpsc::Receiver<()>>) {
        if let Some(hold) = hold {
            hold.recv().unwrap();
        }
    }
    let (release, hold) = std::sync::mpsc::channel();
    let holder = std::thread::spawn(|| futures::executor::block_on(work(Some(hold))));
    while LIMITER.running() == 0 {
        std::thread::yield_now();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let _stalled = (kept(work(None)), kept(work(None)));
        let mut last = kept(work(None));
        release.send(()).unwrap();
        holder.join().unwrap();
        timeout(60_000 * MS, &mut last).await.unwrap();
    });
    assert_eq!((LIMITER.running(), LIMITER.waiting()), (0, 0));
}

/// The timer is of a runtime that is no more, or that nobody runs.
#[test]
fn waiters_of_several_runtimes() {
    struct Work(ConcurrencyLimiter);
    impl Work {
        #[concurrency_limit(self.0, or_else = |_| unreachable!())]
        async fn run(&self, time: Duration) {
            sleep(time).await;
        }
    }
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for shut_down in [true, false] {
        let work = Work(ConcurrencyLimiter::new(1));
        let (one, two) = (runtime(), runtime());
        let (holder, stalled) = one.block_on(async { (kept(work.run(MS)), [kept(work.run(MS)), kept(work.run(MS))]) });
        let one = (!shut_down).then_some(one);
        two.block_on(async {
            let last = kept(work.run(MS));
            drop(holder);
            timeout(60_000 * MS, last).await.unwrap();
        });
        drop((stalled, one));
        assert_eq!((work.0.running(), work.0.waiting()), (0, 0));
    }
}

#[tokio::test]
async fn a_job_that_is_let_in_and_not_polled_keeps_nobody_out() {
    static DONE: AtomicBool = AtomicBool::new(false);
    #[offload_blocking(limit = 1)]
    fn job(wait: bool) {
        while wait && !DONE.load(Ordering::SeqCst) {
            std::thread::sleep(MS);
        }
    }
    let holder = tokio::spawn(job(true));
    while poll!(Box::pin(job(false))).is_ready() {
        tokio::task::yield_now().await;
    }
    let stalled = kept(job(false));
    DONE.store(true, Ordering::SeqCst);
    holder.await.unwrap();
    timeout(60_000 * MS, job(false)).await.unwrap();
    stalled.await;
}

#[tokio::test(start_paused = true)]
async fn the_first_in_the_line_of_a_rate_is_not_polled() {
    #[rate_limit(10 / 1s, burst = 1, max_wait = 10s)]
    async fn work(started: Instant) -> Option<u128> {
        Some(started.elapsed().as_millis())
    }
    let started = Instant::now();
    work(started).await.unwrap();
    let stalled = (kept(work(started)), kept(work(started)));
    let others = join_all((0..4).map(|_| work(started))).await;
    // After 200 ms it is known that the first is not polled, after 300 that the second is not either. No permit is lost: those of the
    // time that passed are handed out at once.
    assert_eq!(others, [Some(300), Some(300), Some(400), Some(500)]);
    assert_eq!((stalled.0.await, stalled.1.await), (Some(600), Some(700)));
}

type Call = Pin<Box<dyn Future<Output = ()>>>;

/// What becomes of a waiter.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// Polled whenever it is woken.
    Polled,
    /// Not polled again.
    Kept,
    /// Not polled again until then.
    Late(u32),
    Dropped(u32),
}

#[tokio::test(start_paused = true)]
async fn whoever_is_polled_gets_in_whatever_the_others_do() {
    let mut random = fastrand::Rng::with_seed(21);
    for round in 0..300 {
        let limit = random.usize(1..4);
        let shop = Rc::new(Shop::new(limit));
        let count = random.usize(1..20);
        let callers: Vec<(u32, u32, Fate)> = (0..count)
            .map(|_| {
                let fate = match random.u8(..8) {
                    0 | 1 => Fate::Kept,
                    2 => Fate::Late(random.u32(..500)),
                    3 => Fate::Dropped(random.u32(..300)),
                    _ => Fate::Polled,
                };
                (random.u32(1..200), random.u32(..20), fate)
            })
            .collect();
        let (set, mut tasks) = (LocalSet::new(), Vec::new());
        let stalled = Rc::new(RefCell::new(Vec::<Call>::new()));
        // So that each of those has to wait.
        for holder in 0..limit {
            let shop = Rc::clone(&shop);
            tasks.push(set.spawn_local(async move { shop.visit(1_000 + holder, 230 * MS).await }));
        }
        let arrivals: Rc<RefCell<Vec<usize>>> = Rc::default();
        for (name, (at, time, fate)) in callers.iter().copied().enumerate() {
            let (shop, stalled, arrivals) = (Rc::clone(&shop), Rc::clone(&stalled), Rc::clone(&arrivals));
            tasks.push(set.spawn_local(async move {
                sleep(at * MS).await;
                arrivals.borrow_mut().push(name);
                let call = {
                    let shop = Rc::clone(&shop);
                    async move { shop.visit(name, time * MS).await }
                };
                if fate == Fate::Polled {
                    return call.await;
                }
                let mut call: Call = Box::pin(call);
                assert!(poll!(&mut call).is_pending(), "it has to wait");
                match fate {
                    Fate::Late(later) => {
                        sleep(later * MS).await;
                        call.await;
                    }
                    Fate::Dropped(later) => {
                        sleep(later * MS).await;
                        drop(call);
                    }
                    _ => stalled.borrow_mut().push(call),
                }
            }));
        }
        set.run_until(async {
            for task in tasks {
                timeout(Duration::from_secs(100), task).await.unwrap_or_else(|_| panic!("{round}: {callers:?}")).unwrap();
            }
        })
        .await;
        let polled: Vec<usize> = arrivals.borrow().iter().copied().filter(|name| callers[*name].2 == Fate::Polled).collect();
        let times: Vec<Duration> = polled.iter().map(|name| shop.came_in(*name).unwrap()).collect();
        assert!(times.is_sorted(), "{round}: first come, first served: {polled:?} {times:?} {callers:?}");
        // As long as all others together take, and a grace for each who was not there.
        let others = callers.iter().filter(|(_, _, fate)| *fate != Fate::Polled).count();
        let most =
            230 * MS + callers.iter().map(|(_, time, _)| *time * MS).sum::<Duration>() + u32::try_from(others).unwrap() * GRACE;
        assert!(times.iter().all(|time| *time <= most), "{round}: {times:?} are more than {most:?}: {callers:?}");
        let kept = stalled.borrow().len();
        assert_eq!((shop.limiter.running() + shop.limiter.waiting(), shop.running.get()), (kept, 0), "{round}");
        let stalled = stalled.take();
        join_all(stalled).await;
        assert_eq!((shop.limiter.running(), shop.limiter.waiting()), (0, 0), "{round}");
    }
}

/// The same of a rate: whoever is polled gets its turn, in order, and no more get one than the rate allows.
#[tokio::test(start_paused = true)]
async fn whoever_is_polled_gets_its_turn_whatever_the_others_do() {
    struct Quota {
        rate: RateLimiter,
        started: Instant,
        log: RefCell<Vec<(usize, Duration)>>,
    }
    impl Quota {
        #[rate_limit(self.rate, max_wait = 1h)]
        async fn take(&self, name: usize) -> Option<()> {
            self.log.borrow_mut().push((name, self.started.elapsed()));
            Some(())
        }
    }
    let mut random = fastrand::Rng::with_seed(22);
    for round in 0..300 {
        let (per_second, burst) = (random.u32(1..300), random.u32(1..4));
        let rate = RateLimiter::new(per_second, Duration::from_secs(1)).burst(burst);
        let quota = Rc::new(Quota { rate, started: Instant::now(), log: RefCell::default() });
        let (set, mut tasks, stalled) = (LocalSet::new(), Vec::new(), Rc::new(RefCell::new(Vec::<Call>::new())));
        let (arrivals, count) = (Rc::new(RefCell::new(Vec::new())), random.usize(1..40));
        let mut others = 0;
        for name in 0..count {
            let (at, later, fate) = (random.u32(..500), random.u32(..300), random.u8(..8));
            others += u32::from(fate < 4);
            let (quota, stalled, arrivals) = (Rc::clone(&quota), Rc::clone(&stalled), Rc::clone(&arrivals));
            tasks.push(set.spawn_local(async move {
                sleep(at * MS).await;
                if fate >= 4 {
                    arrivals.borrow_mut().push((name, quota.started.elapsed()));
                    return quota.take(name).await.expect("it waits");
                }
                let mut call: Call = Box::pin(async move { quota.take(name).await.expect("it waits") });
                if poll!(&mut call).is_ready() {
                    return;
                }
                match fate {
                    0 | 1 => stalled.borrow_mut().push(call),
                    2 => {
                        sleep(later * MS).await;
                        call.await;
                    }
                    _ => sleep(later * MS).await,
                }
            }));
        }
        set.run_until(async {
            for task in tasks {
                timeout(Duration::from_secs(1_000), task).await.unwrap_or_else(|_| panic!("{round}")).unwrap();
            }
        })
        .await;
        let log = quota.log.borrow().clone();
        let interval = Duration::from_secs(1) / per_second;
        let mut last = Duration::ZERO;
        for &(name, came) in arrivals.borrow().iter() {
            let through = log.iter().find(|(who, _)| *who == name).expect("it is polled").1;
            assert!(last <= through, "{round}: first come, first served: {log:?}");
            last = through;
            // As long as all others together take, and a grace or two for each who was not there.
            let most = came + interval * u32::try_from(count).unwrap() + others * 2 * GRACE + 2 * MS;
            assert!(through <= most, "{round}: {name} came at {came:?}, got through at {through:?}, and not by {most:?}");
        }
        for (index, (_, from)) in log.iter().enumerate() {
            for (more, (_, to)) in log[index..].iter().enumerate() {
                // Permits that went from one waiter to the next may come so much later than they were due.
                let window = *to - *from + if others > 0 { 3 * GRACE } else { 3 * MS };
                let most = f64::from(burst) + f64::from(per_second) * window.as_secs_f64() * 1.001;
                assert!(f64::from(u32::try_from(more + 1).unwrap()) <= most, "{round}: {more} in {window:?}: {log:?}");
            }
        }
        join_all(stalled.take()).await;
    }
}

/// The waker of a task that holds a call of the same limit, and that nothing else keeps alive.
#[test]
fn wakers_are_dropped_under_no_lock() {
    type Call = Pin<Box<dyn Future<Output = ()> + Send>>;
    struct Holds {
        _call: Mutex<Call>,
    }
    impl Wake for Holds {
        fn wake(self: Arc<Self>) {}
    }
    static LIMITER: ConcurrencyLimiter = ConcurrencyLimiter::new(1);
    #[concurrency_limit(LIMITER, or_else = |_| unreachable!())]
    async fn limited() {
        std::future::pending::<()>().await;
    }
    #[rate_limit(1 / 1h, max_wait = 10h)]
    async fn rated() -> Option<()> {
        Some(())
    }
    fn call(rate: bool) -> Call {
        Box::pin(async move {
            if rate {
                rated().await;
            } else {
                limited().await;
            }
        })
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _within = runtime.enter();
    for rate in [false, true] {
        let poll_with = |call: &mut Call, waker: &Waker| call.as_mut().poll(&mut Context::from_waker(waker));
        let (mut first, mut outer, mut inner) = (call(rate), call(rate), call(rate));
        let _ = poll_with(&mut first, Waker::noop());
        assert_eq!(poll_with(&mut inner, Waker::noop()), Poll::Pending);
        let holds = Waker::from(Arc::new(Holds { _call: Mutex::new(inner) }));
        assert_eq!(poll_with(&mut outer, &holds), Poll::Pending);
        drop(holds);
        // The new waker takes the place of the old one, whose destructor makes `inner` leave the same line.
        assert_eq!(poll_with(&mut outer, Waker::noop()), Poll::Pending);
    }
}

/// On two threads: whatever becomes of the others, all who are polled get in, and never too many at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_forgotten_on_two_threads() {
    static LIMITER: ConcurrencyLimiter = ConcurrencyLimiter::new(3);
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    struct Running;
    impl Drop for Running {
        fn drop(&mut self) {
            RUNNING.fetch_sub(1, Ordering::SeqCst);
        }
    }
    #[concurrency_limit(LIMITER, or_else = |_| unreachable!())]
    async fn limited() {
        assert!(RUNNING.fetch_add(1, Ordering::SeqCst) < 3);
        let _running = Running;
        tokio::task::yield_now().await;
    }
    #[rate_limit(200_000 / 1s, burst = 1, max_wait = 1000s)]
    async fn rated() -> Option<()> {
        Some(())
    }
    let tasks: Vec<_> = (0..4_000_u64)
        .map(|seed| {
            tokio::spawn(async move {
                let mut random = fastrand::Rng::with_seed(seed);
                let rate = random.bool();
                let call = async move {
                    if rate {
                        rated().await;
                    } else {
                        limited().await;
                    }
                };
                match random.u8(..50) {
                    // Not polled while others wait behind it.
                    0 => {
                        let mut call = Box::pin(call);
                        let waits = poll!(&mut call).is_pending();
                        sleep(random.u32(..200) * MS).await;
                        if waits && random.bool() {
                            call.await;
                        }
                    }
                    1..10 => drop(timeout(random.u32(..3) * MS, call).await),
                    _ => call.await,
                }
            })
        })
        .collect();
    timeout(60_000 * MS, join_all(tasks)).await.expect("nobody is forgotten");
    assert_eq!((LIMITER.running(), LIMITER.waiting(), RUNNING.load(Ordering::SeqCst)), (0, 0, 0));
}

/// Nothing measures the time of a waiter then; whoever comes next does.
#[test]
fn outside_of_a_runtime() {
    static LIMITER: ConcurrencyLimiter = ConcurrencyLimiter::new(1);
    #[concurrency_limit(LIMITER, or_else = |_| unreachable!())]
    async fn work(polls: u32) {
        for _ in 0..polls {
            let mut polled = false;
            std::future::poll_fn(|_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }).await;
        }
    }
    let holder = kept(work(10));
    let mut stalled = kept(work(0));
    drop(holder);
    std::thread::sleep(GRACE);
    futures::executor::block_on(work(0));
    assert_eq!((LIMITER.running(), LIMITER.waiting()), (0, 1));
    futures::executor::block_on(&mut stalled);
    assert_eq!((LIMITER.running(), LIMITER.waiting()), (0, 0));
}

#[test]
fn a_wait_in_a_runtime_without_timers_panics() {
    static LIMITER: ConcurrencyLimiter = ConcurrencyLimiter::new(1);
    #[concurrency_limit(LIMITER, or_else = |_| unreachable!())]
    async fn work(hold: bool) {
        if hold {
            std::future::pending::<()>().await;
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        work(false).await;
        let holder = kept(work(true));
        let waits = tokio::spawn(work(false)).await;
        assert!(waits.unwrap_err().is_panic());
        drop(holder);
        work(false).await;
    });
    assert_eq!((LIMITER.running(), LIMITER.waiting()), (0, 0));
}

/// The list's timer is of a runtime that is alive, and that nobody drives any more.
#[test]
fn a_runtime_that_is_idle_holds_up_no_other() {
    #[rate_limit(20 / 1s, burst = 1, max_wait = 60s)]
    async fn call() -> Option<()> {
        Some(())
    }
    let idle = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let busy = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    busy.block_on(call());
    let first = std::thread::spawn(move || {
        idle.block_on(call());
        idle
    });
    std::thread::sleep(15 * MS);
    let calls: Vec<_> = (0..5).map(|_| busy.spawn(call())).collect();
    busy.block_on(async {
        for call in calls {
            timeout(Duration::from_secs(5), call).await.expect("somebody's timer fires").unwrap().unwrap();
        }
    });
    drop(first.join().unwrap());
}

/// One that was let in waits in a runtime that nobody drives.
#[test]
fn a_waiter_of_a_runtime_that_is_idle_holds_up_no_other() {
    static LIMITER: ConcurrencyLimiter = ConcurrencyLimiter::new(1);
    #[concurrency_limit(LIMITER, or_else = |_| unreachable!())]
    async fn call(time: Duration) {
        sleep(time).await;
    }
    let idle = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let busy = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let holder = busy.spawn(call(50 * MS));
    while LIMITER.running() == 0 {
        std::thread::sleep(MS);
    }
    let mut kept = Box::pin(call(MS));
    idle.block_on(async { assert!(poll!(&mut kept).is_pending()) });
    busy.block_on(async {
        timeout(Duration::from_secs(5), call(MS)).await.expect("it is the next one that is polled");
        holder.await.unwrap();
    });
    idle.block_on(kept);
}

/// A permit that was offered and not taken up is no permit any more where the limit was lowered meanwhile.
#[tokio::test(start_paused = true)]
async fn a_limit_that_is_lowered_holds_for_permits_that_nobody_took_up() {
    let shop = Shop::new(1);
    let mut holder = Box::pin(shop.visit(0, 10 * MS));
    let mut kept = Box::pin(shop.visit(1, MS));
    assert!(poll!(&mut holder).is_pending() && poll!(&mut kept).is_pending());
    holder.await;
    shop.limiter.set_limit(0);
    sleep(5 * GRACE).await;
    assert!(timeout(5 * GRACE, shop.visit(2, MS)).await.is_err(), "a limit of 0 lets nothing in");
    assert!(timeout(5 * GRACE, &mut kept).await.is_err(), "neither the one that was let in before");
    shop.limiter.set_limit(1);
    timeout(5 * GRACE, kept).await.expect("it has kept its place");
    assert_eq!((shop.limiter.running(), shop.limiter.waiting()), (0, 0));
}
