use steadfast::circuit_breaker;

#[circuit_breaker(5)]
async fn failures_without_name() -> Option<u8> {
    None
}

#[circuit_breaker(30s)]
async fn open_for_without_name() -> Option<u8> {
    None
}

fn main() {}
