use std::future::{Future, IntoFuture, Ready, ready};
use std::pin::Pin;
use steadfast::{retry, timeout};

#[timeout(5s)]
fn call() -> Ready<Option<u8>> {
    ready(None)
}

#[retry]
fn boxed() -> Pin<Box<Ready<Option<u8>>>> {
    Box::pin(ready(None))
}

trait Service {
    type Future: Future<Output = Option<u8>>;

    #[retry]
    fn call(&self) -> Self::Future
    where
        Self: Sized,
    {
        loop {}
    }
}

#[timeout(5s)]
fn into() -> impl IntoFuture<Output = Option<u8>> {
    ready(None)
}

// Of an alias nothing can be told but that it is not async.
type Reply = Pin<Box<dyn Future<Output = Option<u8>>>>;

#[timeout(5s)]
fn alias() -> Reply {
    Box::pin(ready(None))
}

fn main() {}
