use steadfast::timeout;

#[timeout(5s)]
async fn same<T>(value: T) -> T {
    value
}

#[timeout(5s)]
async fn fallible<T, E>(value: Result<T, E>) -> Result<T, E> {
    value
}

fn main() {}
