use steadfast::circuit_breaker;

#[circuit_breaker(failures)]
async fn first() -> Option<u8> {
    None
}

#[circuit_breaker(failures = 3, probes)]
async fn later() -> Option<u8> {
    None
}

fn main() {}
