//! Blocking functions, which an attribute makes async. The bare function is called directly.

use std::sync::Arc;

use steadfast::{BlockingPool, async_cached, offload_blocking, retry, timeout};

use crate::support::{Failure, Log, Noisy, Reply};

static POOL: BlockingPool = BlockingPool::new("shapes", 1);

/// A test: one blocking function, bare and under each list of attributes. The check calls it by `call!`, which awaits where it must.
macro_rules! blocking_shape {
    ($name:ident: $([$($attribute:meta),+])+ for $($rest:tt)*) => {
        #[tokio::test]
        async fn $name() {
            let bare = called!(at_once: [] $($rest)*);
            blocking_shape!(each: bare ($([$($attribute),+])+) { $($rest)* });
        }
    };
    (each: $bare:ident ($([$($attribute:meta),+])+) $rest:tt) => {
        $(
            let attributed = called!(in_time: [$($attribute),+] $rest);
            assert_eq!(attributed, $bare, "under {}", stringify!($(#[$attribute])+));
        )+
    };
}

/// The function under some attributes, and what the check finds.
macro_rules! called {
    ($when:ident: $attributes:tt { $($rest:tt)* }) => {
        called!($when: $attributes $($rest)*)
    };
    ($when:ident: $attributes:tt $before:tt in $head:tt $function:tt => $call:ident: $check:block) => {{
        $when!($call $);
        variant!($attributes $before $head $function $check)
    }};
    ($when:ident: $attributes:tt $function:tt => $call:ident: $check:block) => {{
        $when!($call $);
        variant!($attributes $function $check)
    }};
}

macro_rules! at_once {
    ($call:ident $dollar:tt) => {
        macro_rules! $call {
                                                                                    ($dollar value:expr) => { $dollar value }
                                                                                }
    };
}

macro_rules! in_time {
    ($call:ident $dollar:tt) => {
        macro_rules! $call {
                                                                                    ($dollar value:expr) => { $dollar value.await }
                                                                                }
    };
}

blocking_shape! {
    result:
    [offload_blocking] [offload_blocking(limit = 1)] [offload_blocking(pool = POOL)] [timeout(9s), offload_blocking]
    [retry, offload_blocking] [async_cached, offload_blocking] [async_cached, timeout(9s), retry, timeout(8s), offload_blocking(limit = 2)]
    for {
        fn parse(text: String) -> Reply<usize> {
            if text.is_empty() {
                return Err(Failure::Busy(0));
            }
            Ok(text.len())
        }
    } => call: { (call!(parse("four".to_owned())), call!(parse(String::new()))) }
}

blocking_shape! {
    plain_value:
    [offload_blocking] [async_cached, offload_blocking] [timeout(9s, or_else = |_| 0), offload_blocking]
    for {
        fn sum(numbers: Vec<u32>) -> u32 {
            numbers.into_iter().sum()
        }
    } => call: { call!(sum(vec![1, 2, 3])) }
}

blocking_shape! {
    unit:
    [offload_blocking] [async_cached, offload_blocking]
    for {
        fn nothing(_: u32) {}
    } => call: { call!(nothing(4)) }
}

blocking_shape! {
    mutable_and_pattern_arguments:
    [offload_blocking] [retry, offload_blocking] [async_cached, retry, offload_blocking]
    for {
        fn push((a, b): (u32, u32), mut list: Vec<u32>) -> Reply<Vec<u32>> {
            list.push(a);
            list.push(b);
            Ok(list)
        }
    } => call: { call!(push((1, 2), vec![0])) }
}

blocking_shape! {
    generic:
    [offload_blocking] [retry, offload_blocking] [timeout(9s), offload_blocking]
    for {
        fn largest<T: Ord + Clone + Send + 'static, const N: usize>(values: [T; N]) -> Reply<T> {
            values.into_iter().max().ok_or(Failure::Busy(0))
        }
    } => call: { (call!(largest([1, 3, 2])), call!(largest::<u8, 0>([]))) }
}

blocking_shape! {
    impl_trait:
    [offload_blocking] [timeout(9s), offload_blocking]
    for {
        fn apply(f: impl Fn(u32) -> u32 + Send + 'static, n: u32) -> Reply<u32> {
            Ok(f(n))
        }
    } => call: { call!(apply(|n| n + 1, 4)) }
}

blocking_shape! {
    self_in_an_arc:
    [offload_blocking] [retry, offload_blocking] [async_cached(skip(self)), offload_blocking]
    for { struct Store(u32); let store = Arc::new(Store(3)); } in [impl Store] {
        fn get(self: Arc<Self>, n: u32) -> Reply<u32> {
            Ok(self.0 + n)
        }
    } => call: { call!(Arc::clone(&store).get(4)) }
}

blocking_shape! {
    self_by_value:
    [offload_blocking] [timeout(9s), offload_blocking] [async_cached(skip(self)), offload_blocking]
    for { struct Store(u32); } in [impl Store] {
        fn into_sum(self, n: u32) -> Reply<u32> {
            Ok(self.0 + n)
        }
    } => call: { call!(Store(3).into_sum(4)) }
}

blocking_shape! {
    static_borrows:
    [offload_blocking] [retry, offload_blocking] [async_cached, offload_blocking]
    for {
        fn length(text: &'static str) -> Reply<&'static str> {
            Ok(&text[1..])
        }
    } => call: { call!(length("text")) }
}

blocking_shape! {
    arguments_dropped_in_reverse:
    [offload_blocking] [timeout(9s), offload_blocking]
    for {
        fn work(first: Noisy, _: u8, second: Noisy, _third: Noisy) -> Reply<u32> {
            first.note(second.name);
            Ok(1)
        }
    } => call: {
        let log = Log::default();
        let result = call!(work(log.item("first"), 0, log.item("second"), log.item("third")));
        (result, log.take())
    }
}

blocking_shape! {
    early_returns_and_an_option:
    [offload_blocking] [retry(attempts = 1), offload_blocking]
    for {
        fn find(wanted: u32) -> Option<u32> {
            for n in 0..10 {
                if n == wanted {
                    return Some(n * 2);
                }
            }
            None
        }
    } => call: { (call!(find(4)), call!(find(40))) }
}
