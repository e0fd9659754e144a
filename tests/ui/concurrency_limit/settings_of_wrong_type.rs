use steadfast::concurrency_limit;

#[concurrency_limit("8")]
async fn text() -> Option<u8> {
    None
}

#[concurrency_limit(8.5)]
async fn a_half() -> Option<u8> {
    None
}

#[concurrency_limit(8, queue = "16")]
async fn queue() -> Option<u8> {
    None
}

#[concurrency_limit(8, max_wait = 5)]
async fn wait() -> Option<u8> {
    None
}

#[concurrency_limit(-8)]
async fn negative() -> Option<u8> {
    None
}

fn main() {}
