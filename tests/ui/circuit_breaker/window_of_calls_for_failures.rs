use steadfast::circuit_breaker;

#[circuit_breaker(failures = 5, window = 100)]
async fn inert() -> Option<u8> {
    None
}

fn main() {}
