use steadfast::fallback;

#[fallback(|_| unreachable!())]
async fn same<T>(value: T) -> T {
    value
}

fn main() {}
