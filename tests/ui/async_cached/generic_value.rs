use steadfast::async_cached;

#[async_cached(skip(value))]
async fn same<T>(value: T, id: u64) -> T {
    let _ = id;
    value
}

fn main() {}
