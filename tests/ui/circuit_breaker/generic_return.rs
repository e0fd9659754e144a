use steadfast::circuit_breaker;

#[circuit_breaker(failures = 3)]
async fn same<T>(value: T) -> T {
    value
}

#[circuit_breaker(failures = 3)]
async fn fallible<T, E>(value: Result<T, E>) -> Result<T, E> {
    value
}

fn main() {}
