use steadfast::concurrency_limit;

#[concurrency_limit(8)]
#[concurrency_limit(8)]
async fn again() -> Option<u8> {
    None
}

fn main() {}
