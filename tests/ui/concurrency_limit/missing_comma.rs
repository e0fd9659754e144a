use steadfast::concurrency_limit;

#[concurrency_limit(8 or_else = |_| 0)]
async fn no_comma() -> u8 {
    0
}

fn main() {}
