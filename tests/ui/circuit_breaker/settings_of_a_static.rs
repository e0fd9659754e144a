use steadfast::circuit_breaker;

static SHARED: steadfast::CircuitBreaker = steadfast::CircuitBreaker::new();

#[circuit_breaker(SHARED, failures = 3, handle = shared)]
async fn inert() -> Option<u8> {
    None
}

fn main() {}
