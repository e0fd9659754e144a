//! Type parameters, constants, lifetimes, `impl Trait` in arguments and in return types.

use std::borrow::Cow;
use std::fmt::{Debug, Display};
use std::hash::Hash;

use steadfast::{async_cached, retry, timeout};

use crate::support::{Failure, Reply, tick};

shape! {
    type_parameter:
    every()
    for {
        async fn same<T: Clone + Eq + Hash + Send + Sync + 'static>(value: T) -> Reply<T> {
            tick().await;
            Ok(value.clone())
        }
    } => { (same(4).await, same("x").await, same(String::from("y")).await, same((1_u8, 'c')).await) }
}

shape! {
    type_parameter_that_is_not_named_by_an_argument:
    every()
    for {
        async fn default<T>() -> Reply<T>
        where
            T: Default + Clone + Send + Sync + 'static,
        {
            tick().await;
            Ok(T::default())
        }
    } => { (default::<u32>().await, default::<String>().await, default::<u32>().await) }
}

shape! {
    where_clause:
    every()
    for {
        async fn parse<T>(text: &str) -> Result<T, Failure>
        where
            T: std::str::FromStr + Clone + Send + Sync + 'static,
            <T as std::str::FromStr>::Err: Display,
            Failure: From<steadfast::Error>,
        {
            tick().await;
            text.parse::<T>().map_err(|error| Failure::Busy(u32::try_from(error.to_string().len()).unwrap()))
        }
    } => { (parse::<u32>("4").await, parse::<u32>("x").await, parse::<bool>("true").await) }
}

shape! {
    where_clause_with_associated_types:
    every(skip(items))
    for {
        async fn total<I>(items: I) -> Reply<u64>
        where
            I: IntoIterator + Clone,
            I::Item: Into<u64>,
        {
            tick().await;
            Ok(items.clone().into_iter().map(Into::into).sum())
        }
    } => { total([1_u32, 2]).await }
}

shape! {
    constant_parameter:
    every()
    for {
        async fn sum<const N: usize>(items: [u32; N]) -> Reply<u32> {
            tick().await;
            Ok(items.iter().sum::<u32>() + u32::try_from(N).unwrap())
        }
    } => { (sum([1, 2]).await, sum([1, 2, 3]).await, sum([]).await) }
}

shape! {
    all_kinds_of_parameters_at_once:
    alone()
    for {
        async fn repeat<'a, T, const N: usize>(value: &'a T, prefix: &'a str) -> Reply<[String; N]>
        where
            T: Debug + Clone + Eq + Hash + Send + Sync + 'static,
        {
            tick().await;
            Ok(std::array::from_fn(|at| format!("{prefix}{value:?}{at}")))
        }
    } => { (repeat::<u32, 2>(&1, "a").await, repeat::<&str, 1>(&"x", "b").await) }
}

shape! {
    unsized_parameter:
    [timeout(1s)] [retry] [async_cached(key = text.to_string())] [timeout(1s), retry]
    refusing()
    for {
        async fn show<T: Display + ?Sized>(text: &T) -> Reply<String> {
            tick().await;
            Ok(text.to_string())
        }
    } => { (show("x").await, show(&4).await) }
}

shape! {
    borrowed_return:
    [timeout(2s), retry, timeout(1s)]
    refusing()
    for {
        async fn first<'a>(text: &'a str, _other: &str) -> Result<&'a str, Failure> {
            tick().await;
            text.split(' ').next().ok_or(Failure::Busy(0))
        }
    } => {
        let text = String::from("a b");
        first(&text, "c").await.map(str::to_owned)
    }
}

shape! {
    borrowed_return_by_elision:
    [timeout(2s), retry, timeout(1s)]
    refusing()
    for {
        async fn first(text: &str) -> Option<&str> {
            tick().await;
            text.split(' ').next()
        }
    } => {
        let text = String::from("a b");
        first(&text).await.map(str::to_owned)
    }
}

// Not under `retry`: an attempt that returns the borrow would exclude the next one, for the borrow checker also where it failed.
shape! {
    mutable_borrow_returned:
    [timeout(2s), timeout(1s)]
    refusing()
    for {
        async fn first<'a>(items: &'a mut Vec<u32>, or: u32) -> Reply<&'a mut u32> {
            tick().await;
            items.push(or);
            items.first_mut().ok_or(Failure::Busy(0))
        }
    } => {
        let mut items = vec![];
        *first(&mut items, 4).await.unwrap() += 1;
        items
    }
}

shape! {
    mutable_borrow_written_to:
    changing(skip(items))
    for {
        async fn push(items: &mut Vec<u32>, item: u32) -> Reply<usize> {
            items.push(item);
            tick().await;
            Ok(items.len())
        }
    } => {
        let mut items = vec![];
        (push(&mut items, 4).await, items)
    }
}

shape! {
    lifetime_bounds:
    [timeout(2s), retry]
    refusing()
    for {
        async fn longest<'short, 'long: 'short>(one: &'long str, two: &'short str) -> Reply<&'short str> {
            tick().await;
            Ok(if one.len() > two.len() { one } else { two })
        }
    } => { longest("abc", &String::from("de")).await.map(str::to_owned) }
}

shape! {
    type_with_a_lifetime:
    [async_cached(key = text.as_ref().to_owned())] [async_cached, timeout(1s), retry]
    refusing()
    for {
        async fn len(text: Cow<'_, str>) -> Reply<usize> {
            tick().await;
            Ok(text.len())
        }
    } => { (len(Cow::Borrowed("abc")).await, len(Cow::Owned("de".to_owned())).await) }
}

shape! {
    static_return:
    every()
    for {
        async fn name(n: u32) -> Reply<&'static str> {
            tick().await;
            Ok(if n == 0 { "none" } else { "some" })
        }
    } => { (name(0).await, name(1).await) }
}

shape! {
    impl_trait_argument:
    every(skip(text))
    for {
        async fn len(text: impl AsRef<str> + Send, more: u32) -> Reply<u32> {
            tick().await;
            Ok(u32::try_from(text.as_ref().len()).unwrap() + more)
        }
    } => { (len("abc", 1).await, len(String::from("de"), 2).await) }
}

shape! {
    impl_trait_argument_as_the_key:
    alone()
    for {
        async fn len(text: impl AsRef<str> + Clone + Eq + Hash + Send + Sync + 'static) -> Reply<usize> {
            tick().await;
            Ok(text.as_ref().len())
        }
    } => { (len("abc").await, len(String::from("de")).await, len("abc").await) }
}

shape! {
    impl_fn_argument:
    every(skip(f))
    for {
        async fn apply(f: impl Fn(u32) -> u32, n: u32) -> Reply<u32> {
            tick().await;
            Ok(f(n))
        }
    } => { apply(|n| n + 1, 4).await }
}

shape! {
    impl_fn_mut_argument:
    changing(skip(f))
    for {
        async fn apply(mut f: impl FnMut(u32) -> u32, n: u32) -> Reply<u32> {
            let one = f(n);
            tick().await;
            Ok(one + f(n))
        }
    } => {
        let mut calls = 0;
        (apply(|n| { calls += 1; n + 1 }, 4).await, calls)
    }
}

shape! {
    impl_fn_once_argument:
    [async_cached(skip(f)), timeout(1s)]
    refusing()
    for {
        async fn apply(f: impl FnOnce() -> String, n: usize) -> Reply<String> {
            tick().await;
            Ok(f().repeat(n))
        }
    } => {
        let text = String::from("ab");
        apply(move || text, 2).await
    }
}

shape! {
    higher_ranked_argument:
    every(skip(f))
    for {
        async fn apply<F>(f: F, text: &str) -> Reply<usize>
        where
            F: for<'a> Fn(&'a str) -> &'a str,
        {
            tick().await;
            Ok(f(text).len())
        }
    } => { apply(|text| text.trim(), " abc ").await }
}

shape! {
    async_closure_argument:
    every(skip(f))
    for {
        async fn apply<F: AsyncFn(u32) -> u32>(f: F, n: u32) -> Reply<u32> {
            Ok(f(n).await + f(n).await)
        }
    } => {
        apply(async |n| { tick().await; n + 1 }, 4).await
    }
}

shape! {
    dyn_argument:
    every(skip(f))
    for {
        async fn apply(f: &dyn Fn(u32) -> u32, n: u32) -> Reply<u32> {
            tick().await;
            Ok(f(n))
        }
    } => { apply(&|n| n + 1, 4).await }
}

shape! {
    function_pointer_argument:
    every()
    for {
        async fn apply(f: fn(u32) -> u32, n: u32) -> Reply<u32> {
            tick().await;
            Ok(f(n))
        }
    } => { apply(u32::count_ones, 7).await }
}

shape! {
    impl_trait_returned:
    [timeout(1s, or_else = |_| unreachable!())] [retry(failure = |_| false)]
    for {
        async fn numbers(n: u32) -> impl Iterator<Item = u32> {
            tick().await;
            (0..n).map(|n| n * 2)
        }
    } => { numbers(4).await.collect::<Vec<_>>() }
}

shape! {
    impl_trait_returned_and_stored:
    [async_cached, timeout(1s, or_else = |_| unreachable!())]
    for {
        async fn numbers(n: u32) -> impl Iterator<Item = u32> + Clone + Send + Sync + 'static {
            tick().await;
            0..n
        }
    } => { numbers(4).await.collect::<Vec<_>>() }
}

shape! {
    impl_trait_in_a_result:
    [timeout(2s), retry, timeout(1s)]
    refusing()
    for {
        async fn number(n: u32) -> Result<impl Display, Failure> {
            tick().await;
            if n > 3 {
                return Err(Failure::Busy(n));
            }
            Ok(n)
        }
    } => { (number(1).await.map(|n| n.to_string()), number(5).await.map(|n| n.to_string())) }
}

shape! {
    impl_trait_in_a_cached_result:
    [async_cached, timeout(1s), retry]
    refusing()
    for {
        async fn number(n: u32) -> Result<impl Display + Clone + Send + Sync + 'static, Failure> {
            tick().await;
            if n > 3 {
                return Err(Failure::Busy(n));
            }
            Ok(n)
        }
    } => { (number(1).await.map(|n| n.to_string()), number(5).await.map(|n| n.to_string())) }
}

shape! {
    impl_trait_in_an_option_and_a_tuple:
    [timeout(1s)] [retry]
    refusing()
    for {
        async fn pair(n: u32) -> Option<(impl Display, impl Debug)> {
            tick().await;
            (n < 3).then_some((n, "x"))
        }
    } => { (pair(1).await.map(|(a, b)| format!("{a}{b:?}")), pair(5).await.is_none()) }
}

shape! {
    impl_trait_that_borrows:
    [timeout(2s), retry]
    refusing()
    for {
        async fn words<'a>(text: &'a str) -> Option<impl Iterator<Item = &'a str> + use<'a>> {
            tick().await;
            Some(text.split(' '))
        }
    } => {
        let text = String::from("a b");
        words(&text).await.map(|words| words.map(str::to_owned).collect::<Vec<_>>())
    }
}

shape! {
    boxed_trait_object_by_coercion:
    [timeout(2s), retry, timeout(1s)]
    refusing()
    for {
        async fn boxed(n: u32) -> Result<Box<dyn Display + Send>, Failure> {
            tick().await;
            if n == 0 {
                return Ok(Box::new("none"));
            }
            Ok(Box::new(n))
        }
    } => { (boxed(0).await.unwrap().to_string(), boxed(4).await.unwrap().to_string()) }
}

shape! {
    shared_trait_object_by_coercion:
    every()
    for {
        async fn shared(n: u32) -> Result<std::sync::Arc<dyn Display + Send + Sync>, Failure> {
            tick().await;
            Ok(std::sync::Arc::new(n))
        }
    } => { shared(4).await.unwrap().to_string() }
}

shape! {
    boxed_error_by_coercion:
    every()
    for {
        async fn fail(n: u32) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
            tick().await;
            if n == 0 {
                return Err(Box::new(Failure::Busy(1)));
            }
            Err("text")?
        }
    } => { (fail(0).await.unwrap_err().to_string(), fail(1).await.unwrap_err().to_string()) }
}

shape! {
    slice_by_unsizing:
    [timeout(1s, or_else = |_| &[])] [retry(failure = |all| all.is_empty())] [async_cached]
    for {
        async fn primes(more: bool) -> &'static [u32] {
            tick().await;
            if more { &[2, 3, 5] } else { &[2] }
        }
    } => { (primes(false).await, primes(true).await) }
}

shape! {
    boxed_closure_returned:
    [timeout(2s), retry]
    refusing()
    for {
        async fn adder(n: u32) -> Option<Box<dyn Fn(u32) -> u32 + Send>> {
            tick().await;
            Some(Box::new(move |m| n + m))
        }
    } => { adder(4).await.map(|add| add(3)) }
}
