use steadfast::circuit_breaker;

#[circuit_breaker(failure_rate = 0)]
async fn none() -> Option<u8> {
    None
}

#[circuit_breaker(failure_rate = 50)]
async fn percent() -> Option<u8> {
    None
}

fn main() {}
