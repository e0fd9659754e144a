use steadfast::concurrency_limit;

#[concurrency_limit(8)]
fn blocking() -> Option<u8> {
    None
}

fn main() {}
