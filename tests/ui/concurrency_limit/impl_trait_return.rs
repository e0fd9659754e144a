use steadfast::concurrency_limit;

#[concurrency_limit(8, max_wait = 1s)]
async fn numbers() -> impl Iterator<Item = u8> {
    0..4
}

fn main() {}
