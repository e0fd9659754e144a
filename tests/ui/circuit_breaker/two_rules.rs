use steadfast::circuit_breaker;

#[circuit_breaker(failures = 5, failure_rate = 0.5)]
async fn both() -> Option<u8> {
    None
}

fn main() {}
