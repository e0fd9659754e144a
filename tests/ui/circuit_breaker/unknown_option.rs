use steadfast::circuit_breaker;

#[circuit_breaker(failure_rates = 0.5)]
async fn near() -> Option<u8> {
    None
}

#[circuit_breaker(colour = 3)]
async fn far() -> Option<u8> {
    None
}

fn main() {}
