//! Free functions, and what precedes `fn`.

use std::io;

use steadfast::{async_cached, retry, timeout};

use crate::support::{Failure, Reply, tick};

shape! {
    one_argument:
    alone()
    for {
        async fn double(n: u32) -> io::Result<u32> {
            tick().await;
            Ok(n * 2)
        }
    } => { double(4).await.unwrap() }
}

shape! {
    no_argument:
    every()
    for {
        async fn answer() -> io::Result<u32> {
            tick().await;
            Ok(42)
        }
    } => { answer().await.unwrap() }
}

shape! {
    many_arguments:
    every()
    for {
        async fn sum(a: u8, b: u16, c: u32, d: u64, e: i8, f: i16) -> io::Result<i64> {
            tick().await;
            Ok(i64::from(a) + i64::from(b) + i64::from(c) + i64::try_from(d).unwrap() + i64::from(e) + i64::from(f))
        }
    } => { sum(1, 2, 3, 4, 5, 6).await.unwrap() }
}

shape! {
    ends_in_an_error:
    alone()
    for {
        async fn fail(n: u32) -> Reply<u32> {
            tick().await;
            Err(Failure::Busy(n))
        }
    } => { fail(4).await }
}

shape! {
    unit_by_omission:
    [timeout(1s, or_else = |_| ())] [retry(failure = |()| false)] [async_cached]
    [async_cached, timeout(1s, or_else = |_| ()), retry(failure = |()| false)]
    for {
        async fn nothing() {
            tick().await;
        }
    } => { nothing().await }
}

shape! {
    unit_in_words:
    [timeout(1s, or_else = |_| ())] [retry(failure = |()| false)] [async_cached]
    for {
        async fn nothing(_n: u32) -> () {
            tick().await;
        }
    } => { nothing(1).await }
}

shape! {
    unit_in_a_result:
    every()
    for {
        async fn nothing(n: u32) -> Result<(), Failure> {
            tick().await;
            if n > 3 { Err(Failure::Busy(n)) } else { Ok(()) }
        }
    } => { (nothing(1).await, nothing(5).await) }
}

shape! {
    plain_value:
    [timeout(1s, or_else = |_| 0)]
    [async_cached, timeout(1s, or_else = |error| u32::from(!error.is_timeout())), retry(failure = |n| *n == 0)]
    for {
        async fn double(n: u32) -> u32 {
            tick().await;
            n * 2
        }
    } => { double(4).await }
}

shape! {
    option:
    [async_cached] [async_cached(none_ttl = 5s), timeout(1s), retry]
    refusing()
    for {
        async fn half(n: u32) -> Option<u32> {
            tick().await;
            n.is_multiple_of(2).then_some(n / 2)
        }
    } => { (half(4).await, half(5).await) }
}

shape! {
    option_of_a_result:
    [async_cached, timeout(1s), retry]
    refusing()
    for {
        async fn half(n: u32) -> Option<Result<u32, String>> {
            tick().await;
            let n = n.checked_sub(1)?;
            Some(if n.is_multiple_of(2) { Ok(n / 2) } else { Err("odd".to_owned()) })
        }
    } => { (half(0).await, half(4).await, half(5).await) }
}

shape! {
    tuple_and_array:
    [timeout(1s, or_else = |_| ((0, String::new()), [0; 3]))] [retry(failure = |(_, all)| all.is_empty())] [async_cached]
    for {
        async fn parts(n: u32) -> ((u32, String), [u32; 3]) {
            tick().await;
            ((n, n.to_string()), [n; 3])
        }
    } => { parts(4).await }
}

mod visible {
    use super::{Failure, Reply, async_cached, retry, tick, timeout};

    pub(super) mod inner {
        use super::{Failure, Reply, async_cached, retry, tick, timeout};

        /// Seen from above.
        #[timeout(1s)]
        pub(in crate::free) async fn restricted(n: u32) -> Reply<u32> {
            tick().await;
            Ok(n)
        }

        /// Seen from one above.
        #[retry]
        pub(super) async fn upward(n: u32) -> Reply<u32> {
            tick().await;
            Ok(n)
        }

        /// Seen everywhere, its cache as well.
        #[async_cached(handle = everywhere_cache)]
        pub(crate) async fn everywhere(n: u32) -> Result<u32, Failure> {
            tick().await;
            Ok(n)
        }
    }

    pub(super) async fn forward(n: u32) -> Reply<u32> {
        inner::upward(n).await
    }
}

#[tokio::test(start_paused = true)]
async fn visibilities() {
    assert_eq!(visible::inner::restricted(1).await, Ok(1));
    assert_eq!(visible::forward(2).await, Ok(2));
    assert_eq!(visible::inner::everywhere(3).await, Ok(3));
    assert!(visible::inner::everywhere_cache().contains(&3));
}

shape! {
    must_use_and_inline:
    every()
    for {
        /// With documentation.
        #[must_use = "for a reason"]
        #[inline]
        #[doc(alias = "twice")]
        #[cold]
        async fn double(n: u32) -> Reply<u32> {
            tick().await;
            Ok(n * 2)
        }
    } => { double(4).await }
}

shape! {
    cfg_on_the_function:
    every()
    for {
        #[cfg(test)]
        #[cfg_attr(all(), must_use)]
        #[cfg_attr(any(), no_such_attribute)]
        async fn double(n: u32) -> Reply<u32> {
            tick().await;
            Ok(n * 2)
        }

        #[cfg(not(test))]
        async fn double(n: &u32) {}
    } => { double(4).await }
}

#[tokio::test(start_paused = true)]
async fn cfg_that_removes_the_function() {
    /// Stays.
    #[cfg(test)]
    #[async_cached(handle = there_cache)]
    #[cfg(test)]
    async fn there(n: u32) -> Result<u32, Failure> {
        tick().await;
        Ok(n)
    }

    /// Goes, its cache as well.
    #[async_cached(handle = there_cache)]
    #[cfg(any())]
    async fn there(n: NoSuchType) {}

    assert_eq!(there(1).await, Ok(1));
    assert_eq!(there_cache().len(), 1);
}

shape! {
    deprecated:
    every()
    for {
        #[deprecated(note = "for a reason")]
        async fn old(n: u32) -> Reply<u32> {
            tick().await;
            Ok(n)
        }
    } => {
        #[expect(deprecated)]
        old(4).await
    }
}

shape! {
    levels_of_lints:
    every()
    for {
        #[expect(clippy::no_effect_underscore_binding)]
        #[allow(dead_code, reason = "for a reason")]
        async fn lax(n: u32) -> Reply<u32> {
            let _unused = n;
            tick().await;
            Ok(n)
        }
    } => { lax(4).await }
}

shape! {
    attributes_inside_of_the_body:
    every()
    for {
        async fn inside(n: u32) -> Reply<u32> {
            #![doc = "Documented from the inside."]
            #![allow(clippy::no_effect_underscore_binding)]
            let _unused = n;
            tick().await;
            Ok(n)
        }
    } => { inside(4).await }
}

shape! {
    documented_from_the_inside:
    every()
    for {
        async fn inside(n: u32) -> Reply<u32> {
            //! A comment.
            tick().await;
            Ok(n)
        }
    } => { inside(4).await }
}

shape! {
    attributes_by_path:
    [::steadfast::async_cached, steadfast::timeout(1s), retry, ::steadfast::timeout(1s)]
    refusing()
    for {
        async fn double(n: u32) -> Reply<u32> {
            tick().await;
            Ok(n * 2)
        }
    } => { double(4).await }
}

#[tokio::test(start_paused = true)]
async fn attributes_under_another_name() {
    use steadfast::retry as again;

    /// The name of an attribute is that under which it was imported; a stack knows it by its own name.
    #[again(attempts = 2, delay = 10ms)]
    #[timeout(5ms)]
    async fn late(n: u32) -> Reply<u32> {
        std::future::pending::<()>().await;
        Ok(n)
    }

    let Err(Failure::Policy(error)) = late(1).await else { panic!("it was late") };
    assert!(error.is_timeout());
}
