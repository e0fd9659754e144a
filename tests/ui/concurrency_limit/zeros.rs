use steadfast::concurrency_limit;

#[concurrency_limit(0)]
async fn limit() -> Option<u8> {
    None
}

#[concurrency_limit(8, queue = 0, max_wait = 1s)]
async fn queue_and_wait() -> Option<u8> {
    None
}

#[concurrency_limit(8, queue = 3, max_wait = 0s)]
async fn wait_and_queue() -> Option<u8> {
    None
}

fn main() {}
