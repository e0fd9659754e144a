//! Functions that return a future instead of being `async`.

use std::future::Future;
use std::pin::Pin;

use steadfast::{async_cached, retry, timeout};

use crate::support::{Failure, Reply, tick};

shape! {
    impl_future_by_an_async_block:
    every()
    for {
        fn double(n: u32) -> impl Future<Output = Reply<u32>> {
            async move {
                tick().await;
                Ok(n * 2)
            }
        }
    } => { (is_send!(double(3)), double(4).await) }
}

shape! {
    impl_future_with_bounds:
    every()
    for {
        fn double(n: u32) -> impl Future<Output = Reply<u32>> + Send + 'static {
            async move {
                tick().await;
                Ok(n * 2)
            }
        }
    } => { tokio::spawn(double(4)).await.unwrap() }
}

shape! {
    impl_future_that_does_something_first:
    every(skip(text))
    for {
        fn double(text: &str) -> impl Future<Output = Reply<usize>> + use<> {
            let length = text.len();
            async move {
                tick().await;
                Ok(length * 2)
            }
        }
    } => { double("four").await }
}

shape! {
    boxed_future:
    every()
    for {
        fn double(n: u32) -> Pin<Box<dyn Future<Output = Reply<u32>> + Send>> {
            Box::pin(async move {
                tick().await;
                Ok(n * 2)
            })
        }
    } => { double(4).await }
}

shape! {
    boxed_future_that_borrows:
    every()
    for {
        fn length<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Reply<usize>> + Send + 'a>> {
            Box::pin(async move {
                tick().await;
                Ok(text.len())
            })
        }
    } => { length("four").await }
}

shape! {
    boxed_future_by_full_paths:
    every()
    for {
        fn double(n: u32) -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = Reply<u32>>>> {
            let n = n + 1;
            ::std::boxed::Box::pin(async move {
                tick().await;
                Ok(n * 2)
            })
        }
    } => { double(4).await }
}

shape! {
    boxed_future_of_futures:
    every()
    for {
        fn double(n: u32) -> futures::future::BoxFuture<'static, Reply<u32>> {
            Box::pin(async move {
                tick().await;
                Ok(n * 2)
            })
        }
    } => { double(4).await }
}

shape! {
    local_boxed_future_of_futures:
    every()
    for {
        fn double(n: u32) -> futures::future::LocalBoxFuture<'static, Reply<u32>> {
            let shared = std::rc::Rc::new(n);
            Box::pin(async move {
                tick().await;
                if *shared > 9 { Err(Failure::Busy(*shared)) } else { Ok(*shared * 2) }
            })
        }
    } => { (is_send!(double(1)), double(4).await, double(10).await) }
}
