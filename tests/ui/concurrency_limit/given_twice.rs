use steadfast::concurrency_limit;

#[concurrency_limit(8, queue = 2, queue = 3)]
async fn twice() -> Option<u8> {
    None
}

fn main() {}
