use steadfast::circuit_breaker;

#[circuit_breaker(failure_rate = 0.5, min_calls = 50, window = 10)]
async fn never() -> Option<u8> {
    None
}

fn main() {}
