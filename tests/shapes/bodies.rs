//! What a body may contain.

use steadfast::{async_cached, retry, timeout};

use crate::support::{Failure, Reply, tick};

shape! {
    early_return_and_question_mark:
    alone()
    for {
        async fn parse(text: &str) -> Reply<u32> {
            if text.is_empty() {
                return Ok(0);
            }
            tick().await;
            let number: u32 = text.parse().map_err(|_| Failure::Busy(1))?;
            Ok(number + 1)
        }
    } => { (parse("").await, parse("4").await, parse("x").await) }
}

shape! {
    loops_with_labels:
    every()
    for {
        async fn first_above(limit: u32) -> Reply<u32> {
            let found = 'search: loop {
                for n in 0.. {
                    tick().await;
                    if n > limit {
                        break 'search n;
                    }
                }
            };
            Ok(found)
        }
    } => { first_above(3).await }
}

shape! {
    returns_from_within_a_loop:
    every()
    for {
        async fn find(wanted: u32) -> Reply<&'static str> {
            let mut n = 0;
            loop {
                tick().await;
                n += 1;
                if n == wanted {
                    return Ok("found");
                }
                if n > 5 {
                    return Err(Failure::Busy(n));
                }
            }
        }
    } => { (find(2).await, find(9).await) }
}

shape! {
    blocks_closures_and_items_inside:
    every()
    for {
        async fn nested(n: u32) -> Reply<u32> {
            const STEP: u32 = 2;
            fn twice(n: u32) -> u32 {
                n * STEP
            }
            struct Local(u32);
            impl Local {
                fn get(&self) -> u32 {
                    self.0
                }
            }
            let inner = async {
                tick().await;
                twice(n)
            };
            let add = |m: u32| m + Local(n).get();
            Ok(add(inner.await))
        }
    } => { nested(4).await }
}

shape! {
    arguments_shadowed_by_locals:
    every()
    for {
        async fn shadow(n: u32, text: String) -> Reply<String> {
            let n = n + 1;
            tick().await;
            let text = format!("{text}{n}");
            Ok(text)
        }
    } => { shadow(4, "n = ".to_owned()).await }
}

shape! {
    a_tail_with_temporaries:
    every()
    for {
        async fn tail(n: u32) -> Reply<u32> {
            let cell = std::sync::Mutex::new(n);
            tick().await;
            cell.lock().map(|value| *value).map_err(|_| Failure::Busy(0))
        }
    } => { tail(4).await }
}

shape! {
    a_tail_that_borrows_a_local:
    every()
    for {
        async fn tail(n: u32) -> Reply<u32> {
            let shared = std::rc::Rc::new(std::cell::RefCell::new(Ok(n)));
            tick().await;
            shared.borrow().clone()
        }
    } => { tail(4).await }
}

shape! {
    an_empty_body:
    [timeout(1s, or_else = |_| ())] [async_cached] [async_cached, timeout(1s, or_else = |_| ())]
    for {
        async fn nothing() {}
    } => { nothing().await }
}

shape! {
    a_body_that_is_only_a_macro:
    every()
    for {
        async fn only(n: u32) -> Reply<u32> {
            if n > 3 { unreachable!("called with {n}") } else { Ok(n) }
        }
    } => { only(3).await }
}

shape! {
    recursion_through_a_box:
    [timeout(1s)] [retry] [async_cached]
    refusing()
    for {
        async fn count(n: u32) -> Reply<u32> {
            tick().await;
            if n == 0 { Ok(0) } else { Ok(1 + Box::pin(count(n - 1)).await?) }
        }
    } => { count(5).await }
}

shape! {
    fibonacci_calls_itself_with_other_keys:
    [async_cached] [async_cached(capacity = 100, ttl = 5s)]
    for {
        fn fib(n: u64) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send>> {
            Box::pin(async move { if n < 2 { n } else { fib(n - 1).await + fib(n - 2).await } })
        }
    } => { fib(15).await }
}

shape! {
    a_body_that_waits_for_several_things:
    every()
    for {
        async fn race(n: u32) -> Reply<u32> {
            tokio::select! {
                biased;
                () = std::future::pending() => Err(Failure::Busy(n)),
                () = tick() => Ok(n),
            }
        }
    } => { race(4).await }
}

shape! {
    let_else_and_let_chains:
    every()
    for {
        async fn unwrap(value: Option<&str>) -> Reply<u32> {
            let Some(text) = value else { return Err(Failure::Busy(0)) };
            tick().await;
            if let Ok(number) = text.parse::<u32>()
                && number > 2
            {
                return Ok(number);
            }
            Ok(0)
        }
    } => { (unwrap(None).await, unwrap(Some("4")).await, unwrap(Some("1")).await) }
}

shape! {
    a_generic_conversion_in_the_tail:
    every()
    for {
        async fn convert(n: u8) -> Reply<u64> {
            tick().await;
            Ok(n.into())
        }
    } => { convert(4).await }
}

shape! {
    an_iterator_collected_into_the_return_type:
    every()
    for {
        async fn collect(n: u32) -> Reply<Vec<u32>> {
            tick().await;
            (0..n).map(|n| if n < 9 { Ok(n) } else { Err(Failure::Busy(n)) }).collect()
        }
    } => { (collect(3).await, collect(12).await) }
}

/// A function that never returns: only what may cut it short stands on it.
#[tokio::test(start_paused = true)]
async fn never_returns() {
    #[retry(failure = |_: &std::convert::Infallible| false)]
    async fn forever_in_an_alias() -> std::convert::Infallible {
        loop {
            tick().await;
        }
    }
    #[timeout(1s, or_else = |error| panic!("{error}"))]
    async fn forever() -> ! {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
    let ended = tokio::spawn(async { forever().await }).await.unwrap_err();
    assert_eq!(ended.into_panic().downcast_ref::<String>().map(String::as_str), Some("`forever` timed out after 1s"));
    let mut running = Box::pin(forever_in_an_alias());
    assert!(futures::poll!(&mut running).is_pending());
}
