use steadfast::concurrency_limit;

#[concurrency_limit()]
async fn none() -> Option<u8> {
    None
}

#[concurrency_limit(queue = 3)]
async fn options_only() -> Option<u8> {
    None
}

#[concurrency_limit(adaptive)]
async fn flag_only() -> Option<u8> {
    None
}

fn main() {}
