use steadfast::concurrency_limit;

#[concurrency_limit(8, adaptive = true)]
async fn flag() -> Option<u8> {
    None
}

fn main() {}
