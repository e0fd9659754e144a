use steadfast::circuit_breaker;

#[circuit_breaker(open_for = 30s, open_for_max = 10s)]
async fn shrinks() -> Option<u8> {
    None
}

fn main() {}
