use steadfast::circuit_breaker;

#[circuit_breaker(failures = 3, or_else = |_| "none")]
async fn text() -> u64 {
    0
}

#[circuit_breaker(failures = 3, or_else = 0)]
async fn value() -> u64 {
    0
}

fn main() {}
