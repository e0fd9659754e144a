//! Every kind of name, in every place where an attribute encounters one.
//!
//! The compiler distinguishes arguments from constants by name resolution. An attribute sees only identifiers, and must reach the
//! same result for each kind of name: capitalized ones, scripts without case, keywords, underscores, names that have a meaning in
//! the enclosing module, and names that the expansion might use itself.
#![allow(
    dead_code,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::used_underscore_binding,
    reason = "that is what the names are like"
)]

use std::time::Duration;

use steadfast::{
    async_cached, batched, coalesce, concurrency_limit, finally, offload_blocking, rate_limit, retry, shield, timeout,
};

use crate::support::{Reply, tick};

/// Calls `$check!` once for each kind of name, with a name for the test.
///
/// An attribute decides what a name is where it reads it from a parameter or a pattern, and so an argument of a plain type and one in a
/// tuple have each of them. From there on all attributes get the same list of arguments. The other places try one half of the names
/// each, and each half has every class that letters can tell apart: capitals, scripts without case, underscores, raw names, names that
/// something in scope has, and names that an expansion might use.
macro_rules! each_name {
    ($check:ident) => {
        one_half! { $check }
        other_half! { $check }
        $check! { keyword r#match }
    };
}

macro_rules! one_half {
    ($check:ident) => {
        $check! { capital N }
        $check! { chinese 名 }
        $check! { hindi मद }
        $check! { keyword_of_2018 r#async }
        $check! { outcome outcome }
        $check! { function_in_scope tick }
        $check! { type_in_scope Reply }
        $check! { underscored _n }
    };
}

macro_rules! other_half {
    ($check:ident) => {
        $check! { camel_case Tenant }
        $check! { greek_capital Δ }
        $check! { arabic قيمة }
        $check! { keyword_of_2024 r#gen }
        $check! { error error }
        $check! { module_of_the_crate support }
        $check! { underscored_in_words _other_n }
    };
}

/// The name is all of an argument.
mod whole {
    use super::*;

    macro_rules! check {
        ($test:ident $n:ident) => {
            shape! {
                $test:
                [
                    async_cached(skip(other), tags = [$n.to_string()], ttl = 60s, stale_while_revalidate = 60s),
                    finally(async move { let _ = &$n; }), shield
                ]
                [coalesce, rate_limit(100 / 1s, key = $n, max_wait = 1s), concurrency_limit(8), retry(clone($n))]
                [
                    steadfast::fallback(Err(crate::support::Failure::Busy($n))), async_cached(key = $n),
                    timeout(Duration::from_millis(u64::from($n) + 60_000)), retry, steadfast::hedge(after = 1h)
                ]
                for {
                    async fn double($n: u32, other: &str) -> Reply<String> {
                        tick().await;
                        Ok(format!("{} {other}", $n * 2))
                    }
                } => { (tokio::join!(double(1, "a"), double(2, "a")), double(1, "a").await) }
            }
        };
    }
    each_name!(check);
}

/// The name is all of an argument that is moved, and none that can be copied.
mod moved {
    use super::*;

    macro_rules! check {
        ($test:ident $n:ident) => {
            shape! {
                $test:
                [
                    async_cached, finally(async move { let _ = &$n; }),
                    steadfast::cancellable(token = tokio_util::sync::CancellationToken::new())
                ]
                [async_cached(key = $n.len()), timeout(1s), retry(clone($n)), shield]
                for {
                    async fn double($n: String) -> Reply<String> {
                        tick().await;
                        Ok($n + "!")
                    }
                } => { (double("1".to_owned()).await, double("22".to_owned()).await) }
            }
        };
    }
    one_half!(check);
}

/// The name is all of an argument that is borrowed: what runs in the background copies it.
mod borrowed {
    use super::*;

    macro_rules! check {
        ($test:ident $n:ident) => {
            shape! {
                $test:
                [async_cached(detached), finally({ let length = $n.len(); async move { let _ = length; } })]
                [rate_limit(100 / 1s, key = $n), concurrency_limit(8), async_cached, timeout(1s), shield]
                for {
                    async fn double($n: &str) -> Reply<String> {
                        tick().await;
                        Ok(format!("{}!", $n))
                    }
                } => { (double("1").await, double("2").await) }
            }
        };
    }
    other_half!(check);
}

/// The name is a part of a pattern.
mod parts {
    use super::*;

    /// A pair with names.
    #[derive(Clone)]
    struct Pair<T> {
        one: T,
        two: T,
    }

    macro_rules! check {
        ($test:ident $n:ident) => {
            mod $test {
                use super::*;

                shape! {
                    tuple:
                    [async_cached, rate_limit(100 / 1s, key = $n, max_wait = 1s), finally(async move { let _ = &$n; }), shield]
                    [coalesce(skip(m)), async_cached(key = ($n, m)), retry(clone($n)), timeout(1s)]
                    for {
                        async fn sum(($n, m): (u32, u32)) -> Reply<u32> {
                            tick().await;
                            Ok($n * 10 + m)
                        }
                    } => { (tokio::join!(sum((1, 2)), sum((3, 2))), sum((1, 2)).await) }
                }

                shape! {
                    nested:
                    [async_cached(detached), timeout(1s), retry(clone($n))]
                    for {
                        async fn sum(Pair { one: [$n, _], two: whole @ [m, _] }: Pair<[u32; 2]>) -> Reply<u32> {
                            tick().await;
                            Ok($n * 100 + m * 10 + whole[1])
                        }
                    } => {
                        let pair = |one| Pair { one: [one, 0], two: [2, 3] };
                        (sum(pair(1)).await, sum(pair(4)).await, sum(pair(1)).await)
                    }
                }
            }
        };
    }
    each_name!(check);
}

/// The name is that of what a job or a batch receives, or of what only options use.
mod elsewhere {
    use super::*;

    macro_rules! check {
        ($test:ident $n:ident) => {
            #[tokio::test]
            async fn $test() {
                /// A job.
                #[async_cached]
                #[retry(delay = 0s)]
                #[offload_blocking]
                fn job($n: String) -> Reply<String> {
                    Ok($n + "!")
                }
                assert_eq!((job("1".to_owned()).await, job("2".to_owned()).await), (Ok("1!".to_owned()), Ok("2!".to_owned())));

                /// A batch.
                #[timeout(10s, or_else = |_| 0)]
                #[async_cached]
                #[batched(delay = 0s, or_else = |_| 0)]
                async fn batch($n: Vec<u32>) -> Vec<u32> {
                    $n.iter().map(|n| n * 2).collect()
                }
                assert_eq!((batch(1).await, batch(2).await), (2, 4));

                /// Options name it, and the body does not.
                #[async_cached(refresh_if = $n == 99)]
                #[steadfast::fallback($n)]
                async fn optional(id: u32, $n: u32) -> Option<u32> {
                    (id > 9).then_some(id)
                }
                assert_eq!((optional(1, 5).await, optional(1, 7).await), (Some(5), Some(7)));
            }
        };
    }
    one_half!(check);
}

/// What looks like a name in a pattern, and is none.
mod units {
    use super::*;

    /// A type with one value.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    struct Unit;

    /// Another.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    enum Kind {
        /// Its value.
        Only,
    }

    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    enum Switch {
        On,
        Off,
    }

    use Kind::Only;
    use Switch::{Off, On};

    shape! {
        unit_structs_variants_and_constants:
        every()
        for {
            async fn double(Unit: Unit, (Only, n): (Kind, u32), (On | Off): Switch) -> Reply<(Unit, Kind, u32)> {
                tick().await;
                Ok((Unit, Only, n * 2))
            }
        } => { (double(Unit, (Only, 1), On).await, double(Unit, (Only, 2), Off).await) }
    }

    shape! {
        alternatives_with_a_name:
        every()
        for {
            async fn double((Ok(N) | Err(N)): Result<u32, u32>) -> Reply<u32> {
                tick().await;
                Ok(N * 2)
            }
        } => { (double(Ok(1)).await, double(Err(2)).await) }
    }
}

/// Constants and unit structs of the module have the names that an expansion might give its variables: in a pattern they would be meant.
mod constants {
    use super::{Reply, tick};

    macro_rules! constants {
        ($($name:ident)*) => { $(const $name: () = ();)* };
    }
    constants! {
        after answer asks attempts belongs body borrowed breaker cache cached cancellation cancelled cleanup copies count cut deadline delay
        entered error exit expired failed failure fault fit future gone guard hit job keep kept key keyed kind label last latencies lead left
        lifetime limit limited limiter load max_wait mode none none_ttl note now object open original out outcome owned owner part part_0
        payload permit place pool private probe race reason reference refresh refresh_ahead refusal refused reply report result retry_after
        returned run saturated seen settings shape share slot slow stale stand_in started state step stopped store tags task text this time
        timer token tracker ttl turn undo value values wait waited waiter work
    }
    /// So do unit structs.
    struct some;
    struct n_1;

    /// All that can stand on a function, with everything that they might bind.
    #[steadfast::warn_slow_poll(10s)]
    #[steadfast::fallback(|problem| Err(problem))]
    #[steadfast::async_cached(
        handle = kept_values: steadfast::Cache<(u32, String), String>, ttl = std::time::Duration::from_secs(60), ttl_jitter = std::time::Duration::from_secs(1),
        error_ttl = std::time::Duration::from_secs(1), stale_if_error = std::time::Duration::from_secs(1), load_timeout = 10s, key = (n + 1, &text_of),
        tags = [format!("{n}")], refresh_if = n > 1_000
    )]
    #[steadfast::rate_limit(100 / 1s, max_wait = std::time::Duration::from_secs(1), key = n)]
    #[steadfast::concurrency_limit(8, max_wait = std::time::Duration::from_secs(1))]
    #[steadfast::circuit_breaker(failures = 5)]
    #[steadfast::finally(|how| async move { _ = (how, text_of) })]
    #[steadfast::cancellable(token = tokio_util::sync::CancellationToken::new(), cleanup = tick(), or_else = |problem| Err(problem.into()))]
    #[steadfast::timeout(std::time::Duration::from_secs(60))]
    #[steadfast::retry(max_elapsed = 60s, clone(text_of), on_retry = |event| _ = event, retry_after = |_| None)]
    #[steadfast::hedge(after = p95)]
    #[steadfast::shield]
    pub(super) async fn all(n: u32, text_of: String) -> Reply<String> {
        tick().await;
        Ok(format!("{text_of}{n}"))
    }

    /// What goes on without its caller.
    #[steadfast::async_cached(ttl = 60s, stale_while_revalidate = std::time::Duration::from_secs(60), refresh_ahead = 0.5_f64.min(0.9), detached)]
    pub(super) async fn background(n: u32, text_of: &str) -> Reply<String> {
        tick().await;
        Ok(format!("{text_of}{n}"))
    }

    /// A job.
    #[steadfast::retry(delay = 0s)]
    #[steadfast::offload_blocking(limit = 1)]
    pub(super) fn job_of(n: u32) -> Reply<u32> {
        Ok(n * 2)
    }

    /// A batch.
    #[steadfast::batched(delay = 0s)]
    pub(super) async fn batch(ids: Vec<u32>) -> Reply<Vec<u32>> {
        Ok(ids.iter().map(|id| id * 2).collect())
    }
}

#[tokio::test]
async fn constants_are_not_meant_by_an_expansion() {
    assert_eq!(constants::all(1, "a".to_owned()).await, Ok("a1".to_owned()));
    assert_eq!(constants::background(1, "a").await, Ok("a1".to_owned()));
    assert_eq!((constants::job_of(1).await, constants::batch(1).await), (Ok(2), Ok(2)));
}

/// A handle has a name that something else has, too.
mod handles {
    macro_rules! check {
        ($test:ident $n:ident) => {
            mod $test {
                /// Of one argument.
                #[steadfast::async_cached(handle = $n)]
                pub(super) async fn one($n: u32) -> u32 {
                    $n * 2
                }

                /// In a generic function.
                pub(super) mod generic {
                    /// It keeps a cache for each type.
                    #[steadfast::async_cached(handle = $n)]
                    pub(in super::super) async fn one<T: Clone + Send + Sync + Eq + std::hash::Hash + 'static>($n: T) -> T {
                        $n
                    }
                }
                pub(super) mod breaker {
                    /// A breaker.
                    #[steadfast::circuit_breaker(handle = $n)]
                    pub(in super::super) async fn one($n: u32) -> Option<u32> {
                        Some($n)
                    }
                }
                pub(super) mod rate {
                    /// A rate.
                    #[steadfast::rate_limit(100 / 1s, handle = $n)]
                    pub(in super::super) async fn one($n: u32) -> Option<u32> {
                        Some($n)
                    }
                }
                pub(super) mod keyed {
                    /// A rate for each key.
                    #[steadfast::rate_limit(100 / 1s, handle = $n, key = $n)]
                    pub(in super::super) async fn one($n: u32) -> Option<u32> {
                        Some($n)
                    }
                }
                pub(super) mod limit {
                    /// A limit.
                    #[steadfast::concurrency_limit(8, handle = $n)]
                    pub(in super::super) async fn one($n: u32) -> Option<u32> {
                        Some($n)
                    }
                }
            }

            #[tokio::test]
            async fn $test() {
                assert_eq!((self::$test::one(1).await, self::$test::one(2).await), (2, 4));
                assert_eq!((self::$test::$n().get(&1), self::$test::$n().len()), (Some(2), 2));
                assert_eq!((self::$test::generic::one(1).await, self::$test::generic::$n::<u8>().len()), (1, 0));
                assert_eq!(
                    (self::$test::breaker::one(1).await, self::$test::breaker::$n().state()),
                    (Some(1), steadfast::CircuitState::Closed)
                );
                assert_eq!((self::$test::rate::one(1).await, self::$test::keyed::one(1).await), (Some(1), Some(1)));
                self::$test::rate::$n().reset();
                self::$test::keyed::$n().reset();
                assert_eq!((self::$test::limit::one(1).await, self::$test::limit::$n().limit()), (Some(1), 8));
            }
        };
    }
    other_half!(check);
}

/// What a format string names, and nothing else does.
mod captured {
    use super::*;

    shape! {
        widths_and_precisions:
        every()
        [shield] [steadfast::finally(async move { let _ = format!("{_width :?} {:>_width$}", 1); })]
        for {
            async fn padded(n: u32, _width: usize, _precision: usize) -> Reply<String> {
                tick().await;
                Ok(format!("{n:>_width$} {:.*} {:0_width$._precision$}", 1, 2.0, 3.5))
            }
        } => { padded(7, 9, 2).await }
    }

    shape! {
        with_a_space:
        every()
        [steadfast::finally(async move { let _ = format!("{_name :?}"); }), shield]
        for {
            async fn shown(_name: String) -> Reply<String> {
                tick().await;
                Ok(format!("{_name :?} {{_name}}"))
            }
        } => { shown("a".to_owned()).await }
    }

    shape! {
        raw:
        [timeout(1s)] [async_cached] [shield] [steadfast::finally(async move { let _ = format!("{match}!"); })]
        for {
            async fn shown(r#match: String, r#plain: u32) -> Reply<String> {
                tick().await;
                Ok(format!("{match} {plain}"))
            }
        } => { shown("a".to_owned(), 1).await }
    }
}

/// Arguments that begin with an underscore, and are not used: to name them must not look like a use.
mod ignored {
    #![deny(clippy::used_underscore_binding)]

    use std::future::Future;
    use std::pin::Pin;

    use super::{Reply, async_cached, coalesce, concurrency_limit, finally, offload_blocking, rate_limit, shield, tick, timeout};

    /// One field is used.
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Fields {
        n: u32,
        _other: String,
    }

    macro_rules! patterns {
        ($([$($attribute:meta),*] $name:ident)*) => {
            $(
                $(#[$attribute])*
                async fn $name(
                    (a, _b): (u32, String), Fields { n, _other }: Fields, [c, _d]: [u32; 2], _e @ (f, _g): (u32, u32), _h: String,
                ) -> Reply<u32> {
                    tick().await;
                    Ok(a + n + c + f)
                }
            )*
        };
    }
    patterns! {
        [timeout(1s)] timed
        [async_cached] cached
        [coalesce, timeout(1s)] coalesced
        [rate_limit(100 / 1s, max_wait = 1s), concurrency_limit(8)] limited
        [finally(async {}), steadfast::warn_slow_poll(10s)] ended
        [shield] shielded
        [async_cached(detached)] detached
        [steadfast::retry, steadfast::hedge(after = 1h)] repeated
    }

    #[allow(clippy::manual_async_fn)]
    #[timeout(1s)]
    fn returned((a, _b): (u32, String), _c: String) -> impl Future<Output = Reply<u32>> {
        async move {
            tick().await;
            Ok(a)
        }
    }

    #[timeout(1s)]
    fn boxed(a: u32, _b: String) -> Pin<Box<dyn Future<Output = Reply<u32>> + Send>> {
        Box::pin(async move {
            tick().await;
            Ok(a)
        })
    }

    #[timeout(1s)]
    fn made(a: u32, _b: String) -> Pin<Box<dyn Future<Output = Reply<u32>> + Send>> {
        if a == 0 {
            return Box::pin(async { Ok(1) });
        }
        Box::pin(async move { Ok(a) })
    }

    /// The body has others of these names.
    #[rate_limit(100 / 1s, max_wait = 1s)]
    #[timeout(1s)]
    async fn bound_again(a: u32, _b: String, _c: u32) -> Reply<u32> {
        let _b = u32::max(a, 2);
        tick().await;
        let _b = [1].map(|_c| 2);
        Ok(a)
    }

    /// A job.
    #[offload_blocking]
    fn job((a, _b): (u32, String), _c: String) -> u32 {
        a
    }

    #[tokio::test]
    async fn they_are_ignored() {
        let text = String::new;
        macro_rules! all {
            ($($name:ident)*) => {
                $(
                    let fields = Fields { n: 2, _other: text() };
                    assert_eq!($name((1, text()), fields, [3, 0], (4, 0), text()).await, Ok(10));
                )*
            };
        }
        all! { timed cached coalesced limited ended shielded detached repeated }
        assert_eq!((returned((1, text()), text()).await, boxed(2, text()).await, made(3, text()).await), (Ok(1), Ok(2), Ok(3)));
        assert_eq!((bound_again(1, text(), 1).await, job((2, text()), text()).await), (Ok(1), 2));
    }
}

/// `ref` in a pattern: what runs without its caller has the value, and the body a reference.
mod references {
    use super::*;

    shape! {
        parts:
        every(key = a)
        [shield] [async_cached(detached)] [async_cached(ttl = 60s, stale_while_revalidate = 60s)] [retry(clone(b, c)), shield]
        [steadfast::finally({ let length = b.len(); async move { _ = length } })]
        [steadfast::finally(async move { _ = b.len() }), shield]
        for {
            #[allow(clippy::toplevel_ref_arg)]
            async fn length((a, ref b): (u32, String), ref c: String) -> Reply<(u32, usize)> {
                tick().await;
                let (b, c): (&String, &String) = (b, c);
                Ok((a, b.len() + c.len()))
            }
        } => { length((1, "four".to_owned()), "five".to_owned()).await }
    }

    shape! {
        parts_that_change:
        [timeout(1s)] [shield] [retry, timeout(1s)] [steadfast::finally(async {})]
        for {
            async fn length((a, ref mut b): (u32, String)) -> Reply<(u32, String)> {
                tick().await;
                b.push('!');
                Ok((a, b.clone()))
            }
        } => { length((1, "four".to_owned())).await }
    }

    /// A job.
    #[offload_blocking]
    fn job((a, ref b, ref mut c): (u32, String, String)) -> (u32, usize, String) {
        c.push('!');
        (a, b.len(), std::mem::take(c))
    }

    #[tokio::test]
    async fn of_a_job() {
        assert_eq!(job((1, "four".to_owned(), "c".to_owned())).await, (1, 4, "c!".to_owned()));
    }
}

/// Conditions on a parameter, however they are written.
mod conditions {
    use super::*;

    shape! {
        in_a_cfg_attr:
        every()
        [shield] [async_cached(detached), finally(async {})]
        for {
            async fn double(
                #[cfg_attr(all(), cfg(any()))] missing: Missing,
                #[cfg_attr(any(), cfg(any()))] n: u32,
                #[cfg_attr(all(), allow(unused_variables), cfg(all()))] m: u32,
            ) -> Reply<u32> {
                tick().await;
                Ok(n * 2)
            }
        } => { (double(1, 5).await, double(2, 5).await) }
    }
}

/// Items that a body begins with stay in front of all statements, of whatever kind they are.
mod items {
    #![deny(clippy::items_after_statements)]
    #![allow(unreachable_pub)]

    use super::{Reply, timeout};

    macro_rules! bodies {
        ($($name:ident: { $($item:tt)* })*) => {
            $(
                #[timeout(1s)]
                async fn $name() -> Reply<u32> {
                    $($item)*
                    Ok(N)
                }
            )*
        };
    }
    bodies! {
        visible: { pub const N: u32 = 1; }
        visible_in_the_crate: { pub(super) const N: u32 = 1; }
        behind_a_union: {
            union Bits { _a: u32, _b: u32 }
            const N: u32 = { let _ = Bits { _a: 1 }; 1 };
        }
    }

    #[tokio::test]
    async fn begin_a_body() {
        assert_eq!((visible().await, visible_in_the_crate().await, behind_a_union().await), (Ok(1), Ok(1), Ok(1)));
    }
}

/// `r#name` is `name`.
mod raw {
    use super::{Reply, async_cached, finally, retry, shield, tick, timeout};

    shape! {
        written_in_both_ways:
        [timeout(1s)] [async_cached(skip(other))] [async_cached(key = n)] [retry(clone(other)), shield] [finally(async move { drop(other) })]
        for {
            async fn double(r#n: u32, r#other: String) -> Reply<String> {
                tick().await;
                Ok(format!("{} {}", n * 2, other + "!"))
            }
        } => { (double(1, "a".to_owned()).await, double(2, "a".to_owned()).await) }
    }
}

/// The name is that of the function, of a parameter of its own, or of what a batch shares.
mod around {
    macro_rules! check {
        ($test:ident $n:ident) => {
            mod $test {
                /// A function.
                #[steadfast::async_cached]
                #[steadfast::timeout(10s)]
                #[steadfast::retry]
                pub(super) async fn $n(id: u32) -> crate::support::Reply<u32> {
                    crate::support::tick().await;
                    Ok(id * 2)
                }

                /// It is called so, too, where it is reported.
                pub(super) mod limited {
                    #[steadfast::rate_limit(1 / 1h)]
                    pub(in super::super) async fn $n() -> std::io::Result<u32> {
                        Ok(1)
                    }
                }

                /// A type of any name.
                #[steadfast::async_cached]
                #[steadfast::timeout(10s)]
                pub(super) async fn of_type<$n: Clone + Send + Sync + Eq + std::hash::Hash + 'static>(
                    id: $n,
                ) -> crate::support::Reply<$n> {
                    crate::support::tick().await;
                    Ok(id)
                }

                /// A constant of any name.
                #[steadfast::async_cached]
                #[steadfast::concurrency_limit(8, max_wait = 1s)]
                #[steadfast::timeout(10s)]
                pub(super) async fn of_constant<const $n: usize>(id: usize) -> crate::support::Reply<usize> {
                    crate::support::tick().await;
                    Ok(id + $n)
                }

                #[steadfast::batched(delay = 0s, share($n))]
                pub(super) async fn of_batch($n: std::sync::Arc<u32>, ids: Vec<u32>) -> crate::support::Reply<Vec<u32>> {
                    Ok(ids.iter().map(|id| id + *$n).collect())
                }
            }

            #[tokio::test]
            async fn $test() {
                assert_eq!((self::$test::$n(1).await, self::$test::$n(2).await), (Ok(2), Ok(4)));
                assert_eq!((self::$test::of_type("a").await, self::$test::of_type(1).await), (Ok("a"), Ok(1)));
                assert_eq!((self::$test::of_constant::<1>(1).await, self::$test::of_constant::<2>(1).await), (Ok(2), Ok(3)));
                assert_eq!(self::$test::of_batch(std::sync::Arc::new(10), 1).await, Ok(11));
                assert_eq!(self::$test::limited::$n().await.ok(), Some(1));
                let error = self::$test::limited::$n().await.unwrap_err();
                assert!(error.to_string().contains(stringify!($n).trim_start_matches("r#")), "{error}");
            }
        };
    }
    one_half!(check);
}
