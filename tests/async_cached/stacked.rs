//! Every other attribute above each kind of computation.

use steadfast::{
    Error, cancellable, circuit_breaker, coalesce, concurrency_limit, fallback, finally, rate_limit, retry, shield, timeout,
    warn_slow_poll,
};
use tokio_util::sync::CancellationToken;

use super::*;

async fn cleanup(_: usize) {
    sleep(SECOND / 100).await;
}

/// A test for each way to compute, below the attributes, above a body that takes its arguments along and changes them.
macro_rules! above {
    ($arguments:tt $($name:ident: $(#[$($above:tt)*])*;)*) => {
        $(above!(@ $name $arguments $(#[$($above)*])*);)*
    };
    (@ $name:ident $arguments:tt $(#[$($above:tt)*])*) => {
        mod $name {
            use super::*;

            above!(@ in_place $arguments [async_cached(ttl = 1s)] $(#[$($above)*])*);
            above!(@ detached $arguments [async_cached(detached)] $(#[$($above)*])*);
            above!(@ revalidated $arguments [async_cached(ttl = 1s, stale_while_revalidate = 1min)] $(#[$($above)*])*);
            above!(@ refreshed $arguments [async_cached(ttl = 1s, refresh_ahead = 0.5)] $(#[$($above)*])*);
            above!(@ shielded $arguments [shield] $(#[$($above)*])*);
        }
    };
    (@ $name:ident ($id:ident, $text:ident, $times:ident) [$($cached:tt)*] $(#[$($above:tt)*])*) => {
        #[tokio::test(start_paused = true)]
        async fn $name() {
            static RUNS: Runs = Runs::new();
            $(#[$($above)*])*
            #[$($cached)*]
            async fn load(mut $id: String, $text: &str, $times: usize) -> Result<usize, Error> {
                RUNS.add();
                sleep(SECOND / 4).await;
                $id.push_str($text);
                let id = $id;
                Ok(id.len() * $times)
            }
            let calls = join_all((0..3).map(|_| load("ab".to_owned(), "c", 2))).await;
            assert!(calls.iter().all(|call| matches!(call, Ok(6))), "{calls:?}");
            // A hit, or a refresh.
            sleep(SECOND * 3 / 4).await;
            assert_eq!(load("ab".to_owned(), "c", 2).await.unwrap(), 6);
            assert!(RUNS.get() >= 1);
            let mut dropped = Box::pin(load("abc".to_owned(), "d", 2));
            assert!(futures::poll!(&mut dropped).is_pending());
            drop(dropped);
            assert_eq!(load("abc".to_owned(), "d", 2).await.unwrap(), 8);
        }
    };
}

above! {
    (id, text, times)
    below_timeout: #[timeout(5s)];
    below_retry: #[retry(clone(id))];
    below_coalesce: #[coalesce];
    below_coalesce_by_key: #[coalesce(key = (id.clone(), times))];
    below_finally: #[finally(cleanup(id.len()))];
    below_cancellable: #[cancellable(token = CancellationToken::new())];
    below_circuit_breaker: #[circuit_breaker];
    below_rate_limit: #[rate_limit(100 / 1s, max_wait = 1s)];
    below_rate_limit_by_key: #[rate_limit(100 / 1s, key = id.clone())];
    below_concurrency_limit: #[concurrency_limit(1)];
    below_fallback: #[fallback(0)];
    below_warn_slow_poll: #[warn_slow_poll(10s)];
    below_coalesce_and_gates: #[coalesce] #[rate_limit(100 / 1s, max_wait = 1s)] #[concurrency_limit(1)] #[circuit_breaker];
    below_gates_and_coalesce: #[concurrency_limit(4)] #[circuit_breaker] #[coalesce] #[timeout(5s)];
    below_coalesce_and_cleanups: #[coalesce] #[finally(cleanup(times))] #[cancellable(token = CancellationToken::new())];
}
