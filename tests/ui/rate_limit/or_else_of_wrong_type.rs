use steadfast::rate_limit;

#[rate_limit(10 / 1s, or_else = |_| "none")]
async fn text() -> u64 {
    0
}

#[rate_limit(10 / 1s, or_else = 0)]
async fn value() -> u64 {
    0
}

fn main() {}
