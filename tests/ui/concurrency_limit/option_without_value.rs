use steadfast::concurrency_limit;

#[concurrency_limit(queue)]
async fn first() -> Option<u8> {
    None
}

#[concurrency_limit(8, queue)]
async fn later() -> Option<u8> {
    None
}

fn main() {}
