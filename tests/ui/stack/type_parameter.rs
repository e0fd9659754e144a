use steadfast::{Exit, circuit_breaker, concurrency_limit, finally, hedge};

trait Source {
    type Out;

    fn get(&self) -> Self::Out;
}

async fn note(_: Exit) {}

#[finally(|exit| note(exit))]
async fn told<T: Source>(source: T) -> T::Out {
    source.get()
}

// It does not look.
#[finally(note(Exit::Ok))]
async fn told_nothing<T: Source>(source: T) -> T::Out {
    source.get()
}

#[finally(|_| note(Exit::Ok))]
async fn told_in_vain<T: Source>(source: T) -> T::Out {
    source.get()
}

#[hedge(after = 50ms)]
async fn raced<R: Default>() -> R {
    R::default()
}

#[concurrency_limit(8)]
async fn limited<R: Default>() -> Option<R> {
    Some(R::default())
}

#[concurrency_limit(8, adaptive)]
async fn adaptive<T: Source>(source: &T) -> <T as Source>::Out {
    source.get()
}

#[circuit_breaker(slow_call = 1s, or_else = |_| R::default())]
async fn slow<R: Default>() -> R {
    R::default()
}

#[circuit_breaker(slow_call = 1s, failure = |_| false, or_else = |_| R::default())]
async fn judged<R: Default>() -> R {
    R::default()
}

fn main() {}
