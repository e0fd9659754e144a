use steadfast::concurrency_limit;

#[concurrency_limit(8s)]
async fn limit() -> Option<u8> {
    None
}

#[concurrency_limit(1.5)]
async fn float() -> Option<u8> {
    None
}

#[concurrency_limit(8, max_wait = 5)]
async fn max_wait() -> Option<u8> {
    None
}

fn main() {}
