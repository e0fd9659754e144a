//! Patterns and other ways to write an argument.

use std::sync::Arc;

use steadfast::{async_cached, retry, timeout};

use crate::support::{Reply, tick};

/// A struct to take apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    x: u32,
    y: u32,
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Id(u32);

fn place() -> Place {
    Place { x: 1, y: 2, name: "p".to_owned() }
}

shape! {
    tuple:
    every()
    for {
        async fn sum((a, b): (u32, u32)) -> Reply<u32> {
            tick().await;
            Ok(a * 10 + b)
        }
    } => { sum((1, 2)).await }
}

shape! {
    nested_tuple_with_rest:
    alone()
    for {
        async fn sum(((a, .., b), [c, .., d]): ((u32, u8, u8, u32), [u32; 4]), e: u32) -> Reply<u32> {
            tick().await;
            Ok(a * 10_000 + b * 1_000 + c * 100 + d * 10 + e)
        }
    } => { sum(((1, 0, 0, 2), [3, 0, 0, 4]), 5).await }
}

shape! {
    tuple_struct:
    every()
    for {
        async fn id(Id(id): Id) -> Reply<u32> {
            tick().await;
            Ok(id)
        }
    } => { id(Id(4)).await }
}

shape! {
    braced_struct:
    every()
    for {
        async fn sum(Place { x, y: other, name }: Place) -> Reply<String> {
            tick().await;
            Ok(format!("{name}{x}{other}"))
        }
    } => { sum(place()).await }
}

shape! {
    braced_struct_with_rest:
    every()
    for {
        async fn x(Place { x, .. }: Place) -> Reply<u32> {
            tick().await;
            Ok(x)
        }
    } => { x(place()).await }
}

shape! {
    braced_struct_that_is_consumed:
    [timeout(1s)] [retry(clone(name))] [async_cached] [async_cached, timeout(1s), retry(clone(name)), timeout(1s)]
    for {
        async fn name(Place { name, x, .. }: Place) -> Reply<(String, u32)> {
            tick().await;
            Ok((name, x))
        }
    } => { name(place()).await }
}

shape! {
    behind_a_reference:
    every()
    for {
        async fn sum(&(a, b): &(u32, u32), &Id(c): &Id) -> Reply<u32> {
            tick().await;
            Ok(a * 100 + b * 10 + c)
        }
    } => { sum(&(1, 2), &Id(3)).await }
}

shape! {
    plain_value_behind_a_reference:
    every()
    for {
        async fn double(&n: &u32) -> Reply<u32> {
            tick().await;
            Ok(n * 2)
        }
    } => { double(&4).await }
}

shape! {
    fields_of_a_reference:
    every()
    for {
        async fn sum(Place { x, name, .. }: &Place) -> Reply<String> {
            tick().await;
            Ok(format!("{name}{x}"))
        }
    } => { sum(&place()).await }
}

shape! {
    fields_of_a_mutable_reference:
    changing(skip(x, name))
    for {
        async fn sum(Place { x, name, .. }: &mut Place, more: u32) -> Reply<String> {
            *x += more;
            tick().await;
            Ok(format!("{name}{x}"))
        }
    } => {
        let mut place = place();
        (sum(&mut place, 4).await, place)
    }
}

shape! {
    bound_by_reference:
    every()
    for {
        async fn sum(ref name: String, Place { ref y, .. }: Place) -> Reply<String> {
            tick().await;
            Ok(format!("{name}{y}"))
        }
    } => { sum("n".to_owned(), place()).await }
}

shape! {
    bound_by_mutable_reference:
    changing(skip(name))
    for {
        async fn push(ref mut name: String, n: u32) -> Reply<String> {
            name.push('x');
            tick().await;
            Ok(format!("{name}{n}"))
        }
    } => { push("n".to_owned(), 4).await }
}

shape! {
    bound_whole_and_in_part:
    every()
    for {
        async fn both(whole @ (part, _): (u32, u32), array @ [first, ..]: [u32; 2]) -> Reply<String> {
            tick().await;
            Ok(format!("{whole:?}{part}{array:?}{first}"))
        }
    } => { both((1, 2), [3, 4]).await }
}

shape! {
    slice_of_an_array:
    every()
    for {
        async fn ends([first, middle @ .., last]: [u32; 5]) -> Reply<String> {
            tick().await;
            Ok(format!("{first}{middle:?}{last}"))
        }
    } => { ends([1, 2, 3, 4, 5]).await }
}

shape! {
    irrefutable_alternatives:
    every()
    for {
        async fn either((Ok(n) | Err(n)): Result<u32, u32>) -> Reply<u32> {
            tick().await;
            Ok(n)
        }
    } => { (either(Ok(4)).await, either(Err(5)).await) }
}

shape! {
    mutable:
    changing()
    for {
        async fn count(mut n: u32, mut list: Vec<u32>) -> Reply<usize> {
            n += 1;
            list.push(n);
            tick().await;
            list.push(n);
            Ok(list.len())
        }
    } => { count(4, vec![]).await }
}

shape! {
    mutable_and_consumed:
    [async_cached, timeout(1s), retry(clone(list)), timeout(1s)]
    for {
        async fn extend(n: u32, mut list: Vec<u32>) -> Reply<Vec<u32>> {
            list.push(n);
            tick().await;
            Ok(list)
        }
    } => { extend(4, vec![1]).await }
}

shape! {
    mutable_in_a_pattern:
    changing()
    for {
        async fn count((mut n, mut list): (u32, Vec<u32>)) -> Reply<usize> {
            n += 1;
            list.push(n);
            tick().await;
            list.push(n);
            Ok(list.len())
        }
    } => { count((4, vec![])).await }
}

shape! {
    ignored:
    every()
    for {
        async fn four(_: u32, _: String, (_, n): (u8, u32), _unused: u32) -> Reply<u32> {
            tick().await;
            Ok(n)
        }
    } => { four(1, "x".to_owned(), (2, 4), 3).await }
}

shape! {
    ignored_without_any_trait:
    every(skip(_unused))
    for {
        async fn four(_unused: std::sync::MutexGuard<'_, ()>, n: u32) -> Reply<u32> {
            tick().await;
            Ok(n)
        }
    } => {
        let lock = std::sync::Mutex::new(());
        four(lock.lock().unwrap(), 4).await
    }
}

shape! {
    under_a_condition:
    changing()
    for {
        async fn four(#[cfg(any())] never: NoSuchType, #[cfg(all())] always: u32, #[cfg(not(any()))] mut n: u32) -> Reply<u32> {
            n += always;
            tick().await;
            Ok(n)
        }
    } => { four(1, 4).await }
}

shape! {
    under_a_condition_and_ignored:
    alone()
    for {
        async fn four(#[cfg(any())] (a, b): NoSuchType, #[cfg(all())] _: u32, n: u32) -> Reply<u32> {
            tick().await;
            Ok(n)
        }
    } => { four(1, 4).await }
}

shape! {
    with_attributes:
    every()
    for {
        async fn four(#[allow(unused_variables)] unused: u32, n: u32) -> Reply<u32> {
            tick().await;
            Ok(n)
        }
    } => { four(1, 4).await }
}

shape! {
    raw_identifiers:
    every()
    for {
        async fn r#type(r#fn: u32, r#struct: &str) -> Reply<String> {
            tick().await;
            Ok(format!("{}{}", r#fn, r#struct))
        }
    } => { r#type(4, "x").await }
}

shape! {
    raw_identifiers_in_the_options:
    [timeout(r#fn)] [retry(attempts = 1, delay = r#fn, clone(r#move))] [async_cached(skip(r#fn))] [async_cached(key = (r#fn, &r#move))]
    for {
        async fn r#async(r#fn: std::time::Duration, r#move: String) -> Reply<String> {
            tokio::time::sleep(r#fn / 10).await;
            Ok(r#move)
        }
    } => { r#async(std::time::Duration::from_secs(1), "x".to_owned()).await }
}

shape! {
    named_by_a_format_string_only:
    every()
    for {
        async fn text(a: u32, b: String, c: u32) -> Reply<String> {
            tick().await;
            Ok(format!("{a} {b:?} {{c}} {0:1$}", 7, c as usize))
        }
    } => { text(1, "x".to_owned(), 3).await }
}

shape! {
    by_reference:
    alone()
    for {
        async fn all(text: &str, bytes: &[u8], place: &Place, text_again: &String, deep: &&u32) -> Reply<String> {
            tick().await;
            Ok(format!("{text}{bytes:?}{}{text_again}{deep}", place.name))
        }
    } => {
        all("a", &[1], &place(), &"b".to_owned(), &&4).await
    }
}

shape! {
    shared_and_smart:
    every(skip(counter))
    for {
        async fn count(text: Arc<str>, counter: Arc<std::sync::atomic::AtomicU32>, boxed: Box<u32>) -> Reply<String> {
            tick().await;
            Ok(format!("{text}{boxed}{}", counter.load(std::sync::atomic::Ordering::Relaxed)))
        }
    } => { count("a".into(), Arc::default(), Box::new(4)).await }
}

shape! {
    arguments_in_every_option:
    [timeout(patience * 2, or_else = |_| unreachable!())]
    [retry(attempts = n, delay = patience, max_elapsed = patience * 3, when = |_| n > 2, on_retry = |_| assert!(n > 0))]
    [async_cached(key = (n, name.clone()), ttl = patience, refresh_if = name.is_empty())]
    [async_cached(key = (n, &name), ttl = patience), timeout(patience), retry(attempts = n, delay = patience)]
    for {
        async fn text(n: u32, name: String, patience: std::time::Duration) -> Reply<String> {
            tick().await;
            Ok(format!("{n}{name}{patience:?}"))
        }
    } => { text(2, "x".to_owned(), std::time::Duration::from_secs(1)).await }
}
