//! `retry`, `hedge`, `timeout`, `fallback`, `cancellable`, `circuit_breaker`, `rate_limit`, `concurrency_limit`.

use std::sync::Arc;

use steadfast::{
    CircuitBreaker, CircuitState, ConcurrencyLimiter, RateLimiter, cancellable, circuit_breaker, concurrency_limit, fallback,
    hedge, rate_limit, retry, shield, timeout,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{Code, HOUR, Pending, Probe, SECOND, Script, Subject, awaited, breathe, caller, disappointed, rows, touch};

/// Callers of `call`, by their number, with wakers of the user's.
async fn callers<F>(script: &Arc<Script>, count: u32, call: impl Fn(u32) -> F) -> usize
where
    F: Future<Output = bool> + Send + 'static,
{
    let callers: Vec<_> = (0..count)
        .map(|n| {
            let (script, call) = (Arc::clone(script), call(n));
            caller(async move { awaited(&script, call).await })
        })
        .collect();
    disappointed(callers).await
}

mod retried {
    use super::*;

    #[retry(
        clone(probe),
        attempts = 3,
        delay = 1s,
        jitter = none,
        when = |error: &Probe| {
            error.hit(Code::Closure);
            true
        },
        on_retry = |event| event.error().unwrap().hit(Code::Closure)
    )]
    async fn work(probe: Probe) -> Result<u32, Probe> {
        breathe().await;
        let probe = Box::new(probe);
        if probe.n == 1 { Err(probe.copy()) } else { Ok(probe.n) }
    }

    fn call_back(_: u32) {
        touch(work(Probe::quiet(0)));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            callers(&script, 3, |n| {
                let call = work(script.probe(n));
                async move { call.await.is_ok() == (n != 1) }
            })
            .await
        })
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async { assert_eq!(work(Probe::quiet(2)).await.ok(), Some(2)) })
    }

    rows! { Subject { scenario, call_back, healthy };
        when_and_on_retry: Closure BOTH;
        clone_of_an_argument: Clone BOTH;
        drop_of_arguments_and_errors: Drop BOTH;
        source_of_an_error: Source BOTH;
        // The timer of the wait is tokio's own, whose `block_on` is left by a waker that panics.
        wake_of_a_caller: Wake CALL_BACK;
        drop_of_a_callers_waker: WakerDrop CALL_BACK;
    }
}

mod hedged {
    use super::*;

    #[hedge(after = 1s)]
    #[shield]
    async fn work(probe: Probe) -> Result<Probe, Probe> {
        sleep(SECOND * 2).await;
        if probe.n == 1 { Err(probe.copy()) } else { Ok(probe.copy()) }
    }

    fn call_back(_: u32) {
        touch(work(Probe::quiet(0)));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            callers(&script, 3, |n| {
                let call = work(script.probe(n));
                async move { call.await.is_ok() == (n != 1) }
            })
            .await
        })
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async { assert!(work(Probe::quiet(2)).await.is_ok()) })
    }

    rows! { Subject { scenario, call_back, healthy };
        clone_of_an_argument: Clone BOTH;
        drop_of_arguments_and_outcomes: Drop BOTH;
        // The timers are tokio's own, whose `block_on` is left by a waker that panics.
        wake_of_a_caller: Wake CALL_BACK;
        drop_of_a_callers_waker: WakerDrop CALL_BACK;
    }
}

mod bounded {
    use super::*;

    #[timeout(1s, or_else = |_| Err(or_else(probe)))]
    async fn work(probe: &Probe) -> Result<u32, Probe> {
        let _local = probe.copy();
        sleep(SECOND * probe.n * 2).await;
        Ok(probe.n)
    }

    fn or_else(probe: &Probe) -> Probe {
        probe.hit(Code::Closure);
        probe.copy()
    }

    fn call_back(_: u32) {
        touch(work(&Probe::quiet(1)));
        touch(work(&Probe::quiet(0)));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            callers(&script, 4, |n| {
                let probe = script.probe(n);
                async move { work(&probe).await.is_ok() == (n == 0) }
            })
            .await
        })
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async { assert!(work(&Probe::quiet(1)).await.is_err()) })
    }

    rows! { Subject { scenario, call_back, healthy };
        or_else_closure: Closure BOTH;
        drop_of_the_body: Drop BOTH;
        wake_of_a_caller: Wake BOTH;
        drop_of_a_callers_waker: WakerDrop BOTH;
    }
}

mod replaced {
    use super::*;

    #[fallback(|error| {
        error.hit(Code::Closure);
        Ok(error.n)
    })]
    async fn work(probe: Probe) -> Result<u32, Probe> {
        breathe().await;
        if probe.n == 1 { Err(probe.copy()) } else { Ok(probe.n) }
    }

    fn call_back(_: u32) {
        touch(work(Probe::quiet(1)));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            callers(&script, 3, |n| {
                let call = work(script.probe(n));
                async move { call.await.is_ok_and(|value| value == n) }
            })
            .await
        })
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async { assert_eq!(work(Probe::quiet(1)).await.ok(), Some(1)) })
    }

    rows! { Subject { scenario, call_back, healthy };
        the_closure: Closure BOTH;
        drop_of_the_error: Drop BOTH;
    }
}

mod cancelled {
    use super::*;

    #[cancellable(token = token, cleanup = clean(probe), or_else = |_| { probe.hit(Code::Closure); Err(probe.copy()) })]
    async fn work(probe: &Probe, token: &CancellationToken) -> Result<u32, Probe> {
        let _local = probe.copy();
        if probe.n == 0 {
            return Ok(0);
        }
        std::future::pending().await
    }

    async fn clean(probe: &Probe) -> Result<(), Probe> {
        probe.hit(Code::Closure);
        breathe().await;
        Err(probe.copy())
    }

    fn call_back(_: u32) {
        let token = CancellationToken::new();
        token.cancel();
        touch(work(&Probe::quiet(1), &token));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let token = CancellationToken::new();
            let (cancels, waits) = (token.clone(), Arc::clone(&script));
            let canceller = caller(async move {
                sleep(SECOND).await;
                // Wakers are woken by who cancels: the panic of one is that one's, by tokio's rules.
                let cancelled = std::panic::catch_unwind(|| cancels.cancel()).is_ok();
                cancelled || waits.code == Code::Wake
            });
            let failed = callers(&script, 3, |n| {
                let (probe, token) = (script.probe(n), token.clone());
                async move { work(&probe, &token).await.is_ok() == (n == 0) }
            })
            .await;
            failed + disappointed([canceller]).await
        })
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async { assert_eq!(work(&Probe::quiet(0), &CancellationToken::new()).await.ok(), Some(0)) })
    }

    rows! { Subject { scenario, call_back, healthy };
        cleanup_and_or_else: Closure BOTH;
        drop_of_the_body: Drop BOTH;
        display_of_the_cleanups_error: Display BOTH;
        drop_of_a_callers_waker: WakerDrop BOTH;
    }
}

mod broken {
    use super::*;

    static BREAKER: CircuitBreaker = CircuitBreaker::new().failures(1).open_for(SECOND);

    #[circuit_breaker(BREAKER, when = |error: &Probe| { error.hit(Code::Closure); true })]
    async fn work(probe: Probe) -> Result<u32, Probe> {
        if probe.n == 1 { Err(probe.copy()) } else { Ok(probe.n) }
    }

    fn call_back(_: u32) {
        let _ = BREAKER.state();
        drop(BREAKER.subscribe());
        touch(work(Probe::quiet(0)));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            BREAKER.reset();
            let watching = {
                let (script, mut states) = (Arc::clone(&script), BREAKER.subscribe());
                caller(async move { awaited(&script, tokio::time::timeout(HOUR, states.changed())).await.is_ok() })
            };
            breathe().await;
            breathe().await;
            breathe().await;
            breathe().await;
            breathe().await;
            let failing = caller({
                let script = Arc::clone(&script);
                async move { work(script.probe(1)).await.is_err() }
            });
            let failed = disappointed([failing]).await;
            // Whatever became of the failure: from a new state on it goes as it is to go.
            BREAKER.force_open();
            assert_eq!(BREAKER.state(), CircuitState::Isolated);
            failed + disappointed([watching]).await
        })
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async {
            BREAKER.reset();
            assert_eq!(work(Probe::quiet(2)).await.ok(), Some(2));
            assert!(work(Probe::quiet(1)).await.is_err());
            assert_eq!(BREAKER.state(), CircuitState::Open);
            sleep(SECOND * 2).await;
            assert_eq!(work(Probe::quiet(3)).await.ok(), Some(3));
            assert_eq!(BREAKER.state(), CircuitState::Closed);
        })
    }

    // One row: the circuit is a static, and the rows run side by side.
    #[test]
    fn when_and_wakes_of_subscribers_and_errors() {
        for code in [Code::Closure, Code::Wake, Code::WakerDrop, Code::Drop] {
            crate::row(&Subject { scenario, call_back, healthy }, code, crate::BOTH);
        }
    }
}

mod limited {
    use super::*;

    static LIMITER: ConcurrencyLimiter = ConcurrencyLimiter::new(1);

    #[concurrency_limit(LIMITER)]
    async fn work(probe: Probe) -> Option<u32> {
        breathe().await;
        Some(probe.n)
    }

    fn call_back(_: u32) {
        assert!(LIMITER.running() <= 1 && LIMITER.waiting() < 10);
        touch(work(Probe::quiet(0)));
        LIMITER.set_limit(2);
        LIMITER.set_limit(1);
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            callers(&script, 4, |n| {
                let call = work(script.probe(n));
                async move { call.await == Some(n) }
            })
            .await
        })
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async {
            assert_eq!((LIMITER.running(), LIMITER.waiting()), (0, 0));
            assert_eq!(work(Probe::quiet(7)).await, Some(7));
        })
    }

    #[test]
    fn wakers_and_drops_of_callers() {
        for code in [Code::Wake, Code::WakerDrop, Code::Drop] {
            crate::row(&Subject { scenario, call_back, healthy }, code, crate::BOTH);
        }
    }
}

mod paced {
    use super::*;

    static LIMITER: RateLimiter = RateLimiter::new(1, SECOND);

    #[rate_limit(LIMITER, max_wait = 60s)]
    async fn work(probe: Probe) -> Option<u32> {
        Some(probe.n)
    }

    fn call_back(_: u32) {
        let _ = LIMITER.rate();
        touch(work(Probe::quiet(0)));
        LIMITER.set_rate(1, SECOND);
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            LIMITER.reset();
            callers(&script, 4, |n| {
                let call = work(script.probe(n));
                async move { call.await == Some(n) }
            })
            .await
        })
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async {
            LIMITER.reset();
            assert_eq!(work(Probe::quiet(7)).await, Some(7));
        })
    }

    #[test]
    fn wakers_and_drops_of_callers() {
        for code in [Code::Wake, Code::WakerDrop, Code::Drop] {
            crate::row(&Subject { scenario, call_back, healthy }, code, crate::BOTH);
        }
    }
}

mod keyed {
    use super::*;

    #[rate_limit(1 / 1s, key = user, max_wait = 60s, handle = limit)]
    async fn work(user: Probe) -> Option<u32> {
        Some(user.n)
    }

    fn call_back(run: u32) {
        assert!(limit().keys() < 1_000_000);
        touch(work(Probe::quiet(run)));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            callers(&script, 4, |n| {
                let (call, user) = (work(script.probe(script.run + n / 2)), script.run + n / 2);
                async move { call.await == Some(user) }
            })
            .await
        })
    }

    fn healthy(run: u32) -> Pending<()> {
        Box::pin(async move {
            // One is not blocked by what became of another.
            for user in run..run + 3 {
                assert_eq!(work(Probe::quiet(user)).await, Some(user));
            }
        })
    }

    #[test]
    fn keys_wakers_and_drops_of_callers() {
        for code in [Code::Hash, Code::Eq, Code::Clone, Code::Drop, Code::Wake, Code::WakerDrop] {
            crate::row(&Subject { scenario, call_back, healthy }, code, crate::BOTH);
        }
    }
}
