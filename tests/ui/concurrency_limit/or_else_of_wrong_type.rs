use steadfast::concurrency_limit;

#[concurrency_limit(8, or_else = |_| "none")]
async fn text() -> u64 {
    0
}

#[concurrency_limit(8, or_else = 0)]
async fn value() -> u64 {
    0
}

fn main() {}
