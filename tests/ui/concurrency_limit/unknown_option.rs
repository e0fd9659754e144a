use steadfast::concurrency_limit;

#[concurrency_limit(8, queues = 3)]
async fn near() -> Option<u8> {
    None
}

#[concurrency_limit(8, colour = 3)]
async fn far() -> Option<u8> {
    None
}

fn main() {}
