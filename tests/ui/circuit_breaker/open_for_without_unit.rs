use steadfast::circuit_breaker;

#[circuit_breaker(open_for = 30)]
async fn bare() -> Option<u8> {
    None
}

#[circuit_breaker(open_for = 5m)]
async fn ambiguous() -> Option<u8> {
    None
}

#[circuit_breaker(failures = 3s)]
async fn count() -> Option<u8> {
    None
}

fn main() {}
