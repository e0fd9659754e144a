use steadfast::rate_limit;

#[rate_limit(10 / 1s)]
async fn same<T>(value: T) -> T {
    value
}

#[rate_limit(10 / 1s)]
async fn fallible<T, E>(value: Result<T, E>) -> Result<T, E> {
    value
}

fn main() {}
