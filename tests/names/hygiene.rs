//! Hygiene: the function does not see the names of the expansion, and the expansion does not see those of the user's modules.

/// Every name of the prelude means something else here.
mod shadowed {
    #![allow(dead_code, unused_macros, non_camel_case_types, reason = "they are there to be in the way")]

    pub(super) struct Ok;
    pub(super) struct Err;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Option;
    pub(super) struct Result;
    pub(super) struct Box;
    pub(super) struct Vec;
    pub(super) struct String;
    pub(super) trait Clone {}
    pub(super) trait Send {}
    pub(super) trait Sync {}
    pub(super) trait Fn {}
    pub(super) trait From {}
    pub(super) trait Into {}
    pub(super) trait Drop {}
    pub(super) trait Default {}
    pub(super) mod core {}
    pub(super) mod std {}
    pub(super) mod tokio {}
    pub(super) mod steadfast {}

    macro_rules! panic {
        ($($ignored:tt)*) => {
            ::core::compile_error!("the expansion called a macro of the user")
        };
    }
    macro_rules! matches {
        ($($ignored:tt)*) => {
            ::core::compile_error!("the expansion called a macro of the user")
        };
    }

    /// Under all of them.
    #[::steadfast::async_cached(capacity = 10, ttl = 5s, error_ttl = 1s, handle = cache)]
    #[::steadfast::timeout(2s)]
    #[::steadfast::retry(attempts = 2, jitter = equal, on_retry = |_| (), retry_after = |_| ::core::option::Option::None)]
    #[::steadfast::timeout(1s)]
    pub(super) async fn all(n: u32) -> ::core::result::Result<u32, crate::support::Failure> {
        crate::support::tick().await;
        ::core::result::Result::Ok(n)
    }

    /// A job.
    #[::steadfast::timeout(2s, or_else = |_| 0)]
    #[::steadfast::offload_blocking(limit = 1)]
    pub(super) fn job(n: u32) -> u32 {
        n + 1
    }
}

#[tokio::test(start_paused = true)]
async fn names_of_the_prelude_may_be_shadowed() {
    assert_eq!(shadowed::all(4).await, Ok(4));
    assert_eq!(shadowed::cache().get(&4), Some(4));
    tokio::time::resume();
    assert_eq!(shadowed::job(4).await, 5);
}

/// No name of the prelude at all.
mod without_prelude {
    #![no_implicit_prelude]

    use ::core::option::Option::{self, Some};

    use ::steadfast::{async_cached, offload_blocking, retry, timeout};

    /// Under all that stand on an `async fn`.
    #[async_cached(ttl = 5s, none_ttl = 1s, handle = cache)]
    #[timeout(2s)]
    #[retry(attempts = 2, delay = 1ms)]
    #[timeout(1s)]
    pub(super) async fn all(text: &str, n: u32) -> Option<usize> {
        crate::support::tick().await;
        Some(text.len() + n as usize)
    }

    /// A job.
    #[async_cached(key = n)]
    #[retry(failure = |_| false)]
    #[offload_blocking]
    pub(super) fn job(n: u32) -> u32 {
        n + 1
    }
}

#[tokio::test]
async fn there_may_be_no_prelude() {
    assert_eq!(without_prelude::all("abc", 4).await, Some(7));
    assert_eq!(without_prelude::cache().get(&("abc", 4)), Some(7));
    assert_eq!(without_prelude::job(4).await, 5);
}

/// As a crate that offers the library under a name of its own.
mod facade {
    pub(super) use ::steadfast as policies;
}

/// The path is that of another name.
mod renamed {
    #[crate::hygiene::facade::policies::async_cached(crate = crate::hygiene::facade::policies, skip(n))]
    #[crate::hygiene::facade::policies::timeout(1s, crate = crate::hygiene::facade::policies)]
    #[crate::hygiene::facade::policies::retry(crate = crate::hygiene::facade::policies)]
    pub(super) async fn renamed(n: u32) -> Option<u32> {
        crate::support::tick().await;
        Some(n)
    }
}

#[tokio::test(start_paused = true)]
async fn the_library_may_have_another_name() {
    assert_eq!(renamed::renamed(4).await, Some(4));
}

use steadfast::{async_cached, retry, timeout};

use crate::support::{Reply, tick};

shape! {
    arguments_with_the_names_of_the_expansion:
    every(key = (cache, shape, key, turn, out, body, delay, outcome, lead))
    [retry(when = |error| *error == crate::support::Failure::Busy(outcome), delay = std::time::Duration::from_millis(u64::from(delay)))]
    for {
        async fn names(
            cache: u32, shape: u32, key: u32, turn: u32, out: u32, body: u32, delay: u32, outcome: u32, lead: u32, mode: u32, value: u32,
        ) -> Reply<u32> {
            tick().await;
            Ok(cache + shape + key + turn + out + body + delay + outcome + lead + mode + value)
        }
    } => { names(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11).await }
}

shape! {
    methods_with_the_names_that_the_expansion_calls:
    every(skip(self))
    for {
        #[allow(dead_code, reason = "it is there to be in the way")]
        trait Everything {
            fn clone(&self) -> u32 { panic!("called by the expansion") }
            fn hash(&self) -> u32 { panic!("called by the expansion") }
            fn into(&self) -> u32 { panic!("called by the expansion") }
            fn poll(&self) -> u32 { panic!("called by the expansion") }
            fn failure(&self) -> u32 { panic!("called by the expansion") }
            fn deref(&self) -> u32 { panic!("called by the expansion") }
        }
        impl<T> Everything for T {}
        struct Db(u32);
    } in [impl Db] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.0 + n)
        }
    } => { Db(1).get(4).await }
}
