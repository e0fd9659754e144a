use steadfast::circuit_breaker;

#[circuit_breaker]
#[circuit_breaker]
async fn again() -> Option<u8> {
    None
}

fn main() {}
