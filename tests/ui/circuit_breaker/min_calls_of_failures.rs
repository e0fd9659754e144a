use steadfast::circuit_breaker;

#[circuit_breaker(failures = 5, min_calls = 10)]
async fn inert() -> Option<u8> {
    None
}

fn main() {}
