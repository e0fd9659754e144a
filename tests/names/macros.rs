//! Functions and options that are written by `macro_rules`.

use steadfast::{
    async_cached, circuit_breaker, concurrency_limit, fallback, finally, hedge, offload_blocking, rate_limit, retry, timeout,
};

use crate::support::{Failure, Reply, tick};

macro_rules! function {
    ($name:ident($($argument:ident: $ty:ty),*) -> $output:ty $body:block) => {
        #[async_cached(capacity = 10)]
        #[timeout(1s)]
        #[retry]
        async fn $name($($argument: $ty),*) -> $output $body
    };
}

#[tokio::test(start_paused = true)]
async fn fragments_of_every_kind() {
    function! {
        sum(a: u32, b: &str) -> Reply<usize> {
            tick().await;
            Ok(a as usize + b.len())
        }
    }
    assert_eq!(sum(1, "two").await, Ok(4));
}

macro_rules! with_options {
    ($duration:expr, $attempts:expr, $literal:literal, $skipped:ident, $listener:expr) => {
        #[timeout($duration)]
        #[retry(attempts = $attempts, delay = $literal, on_retry = $listener)]
        #[async_cached(ttl = $duration, capacity = $attempts, skip($skipped))]
        async fn annotated($skipped: &str, n: u32) -> Reply<usize> {
            tick().await;
            Ok($skipped.len() + n as usize)
        }
    };
}

#[tokio::test(start_paused = true)]
async fn options_in_fragments() {
    with_options!(std::time::Duration::from_secs(1), 2 + 2, 5ms, name, |_| ());
    assert_eq!(annotated("abc", 1).await, Ok(4));
    assert_eq!(annotated("abcd", 1).await, Ok(4), "the name is skipped");
}

macro_rules! pass_on {
    ($function:item) => {
        $function
    };
}

#[tokio::test(start_paused = true)]
async fn a_whole_function_in_a_fragment() {
    pass_on! {
        #[timeout(1s)]
        #[retry]
        async fn whole(n: u32) -> Reply<u32> {
            tick().await;
            Ok(n)
        }
    }
    assert_eq!(whole(4).await, Ok(4));
}

macro_rules! method {
    ($ty:ident.$name:ident = $field:tt) => {
        impl $ty {
            #[timeout(1s)]
            #[retry]
            async fn $name(&self) -> Reply<u32> {
                tick().await;
                Ok(self.$field)
            }
        }
    };
}

#[tokio::test(start_paused = true)]
async fn a_method_whose_field_is_a_fragment() {
    struct Db(u32);
    method!(Db.first = 0);
    assert_eq!(Db(7).first().await, Ok(7));
}

macro_rules! patterns {
    ($pattern:pat => $ty:ty, $result:expr) => {
        #[timeout(1s)]
        #[retry]
        async fn parts($pattern: $ty) -> Reply<u32> {
            tick().await;
            Ok($result)
        }
    };
}

#[tokio::test(start_paused = true)]
async fn a_pattern_in_a_fragment() {
    patterns!((a, b) => (u32, u32), a + b);
    assert_eq!(parts((1, 2)).await, Ok(3));
}

macro_rules! hidden_name {
    ($name:ident) => {
        #[async_cached]
        #[timeout(1s)]
        async fn $name(n: u32) -> Reply<u32> {
            let turn = n + 1; // a name that the expansion uses too
            tick().await;
            Ok(turn)
        }
    };
}

#[tokio::test(start_paused = true)]
async fn an_argument_with_the_hygiene_of_the_macro() {
    hidden_name!(turned);
    assert_eq!(turned(4).await, Ok(5));
}

macro_rules! generic_function {
    ($name:ident, $parameter:ident: $bound:path, $lifetime:lifetime) => {
        #[timeout(1s)]
        #[retry]
        async fn $name<$lifetime, $parameter: $bound>(text: &$lifetime str, value: $parameter) -> Reply<(&$lifetime str, $parameter)> {
            tick().await;
            Ok((text, value.clone()))
        }
    };
}

#[tokio::test(start_paused = true)]
async fn generics_in_fragments() {
    generic_function!(pair, T: Clone, 'a);
    assert_eq!(pair("text", 4).await, Ok(("text", 4)));
}

macro_rules! with_closures {
    ($fallback:expr, $finally:expr, $ttl:expr, $after:expr, $when:expr) => {
        #[finally($finally)]
        #[fallback($fallback)]
        #[async_cached(ttl = $ttl, handle = kept: steadfast::Cache<u8, u32>)]
        #[hedge(after = $after)]
        #[retry(when = $when, delay = 0s)]
        async fn with_closures(n: u8) -> Reply<u32> {
            tick().await;
            if n == 0 { Err(Failure::Busy(1)) } else { Ok(u32::from(n)) }
        }
    };
}

/// What is told by its looks (a closure, a name such as `p95`) looks the same in a fragment.
#[tokio::test(start_paused = true)]
async fn closures_and_names_in_fragments() {
    with_closures!(|_| Ok(7), |_| async {}, |n| std::time::Duration::from_secs(u64::from(*n)), p95, |_| true);
    assert_eq!((with_closures(0).await, with_closures(3).await), (Ok(7), Ok(3)));
    assert!(kept().contains(&3));
}

/// Names that the expansions have for their own.
#[tokio::test(start_paused = true)]
async fn constants_with_the_names_of_ours() {
    const SLOT: usize = 3;
    const GATE: usize = 2;
    const POLICY: u32 = 4;
    const DEADLINES: std::time::Duration = std::time::Duration::from_secs(1);
    #[async_cached(capacity = SLOT)]
    #[rate_limit(POLICY / DEADLINES)]
    #[concurrency_limit(POLICY, handle = limit)]
    #[circuit_breaker(failures = POLICY)]
    #[timeout(DEADLINES)]
    #[offload_blocking(limit = GATE)]
    fn work(n: u8) -> Option<u8> {
        Some(n)
    }
    assert_eq!(work(1).await, Some(1));
    assert_eq!(limit().limit(), 4);
}
