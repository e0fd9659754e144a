//! Functions and options that are written by `macro_rules`.

use steadfast::{async_cached, retry, timeout};

use crate::support::{Reply, tick};

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
