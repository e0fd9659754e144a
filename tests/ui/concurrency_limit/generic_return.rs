use steadfast::concurrency_limit;

#[concurrency_limit(8, max_wait = 1s)]
async fn same<T>(value: T) -> T {
    value
}

#[concurrency_limit(8, max_wait = 1s)]
async fn fallible<T, E>(value: Result<T, E>) -> Result<T, E> {
    value
}

fn main() {}
