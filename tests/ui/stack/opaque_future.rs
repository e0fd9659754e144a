use std::future::{Future, ready};
use std::pin::Pin;
use steadfast::{retry, timeout};

#[timeout(5s)]
fn call() -> impl Future<Output = Option<u8>> {
    ready(None)
}

#[retry]
fn boxed() -> Pin<Box<dyn Future<Output = Option<u8>> + Send>> {
    Box::pin(ready(None))
}

fn main() {}
