//! A call that a deadline cuts short has let go of everything below by the time that what is above goes on, whether or not its body was made
//! before a wait.

use std::cell::RefCell;
use std::future::pending;
use std::time::Duration;

use steadfast::{ConcurrencyLimiter, Error, concurrency_limit, fallback, finally, rate_limit, timeout};

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn note(text: String) {
    SEEN.with_borrow_mut(|seen| seen.push(text));
}

async fn other(limit: &ConcurrencyLimiter) -> u32 {
    tokio::time::sleep(Duration::from_millis(1)).await;
    note(format!("fallback: {} running", limit.running()));
    7
}

macro_rules! cut {
    ($($name:ident $(#[$above:meta])*)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            static LIMIT: ConcurrencyLimiter = ConcurrencyLimiter::new(9);
            $(#[$above])*
            #[fallback(other(&LIMIT).await)]
            #[timeout(20ms)]
            #[concurrency_limit(LIMIT)]
            #[finally(|exit| async move { note(format!("cleanup {exit:?}")) })]
            async fn call() -> Result<u32, Error> {
                pending().await
            }
            assert_eq!(call().await.unwrap(), 7);
            assert_eq!(SEEN.take(), ["cleanup Cancelled", "fallback: 0 running"]);
        }
    )*};
}

cut! {
    made_in_its_turn
    made_before_a_wait #[rate_limit(99 / 1s, max_wait = 1h)]
}
