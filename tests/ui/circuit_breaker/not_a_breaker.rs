use steadfast::circuit_breaker;

static SHARED: u32 = 5;

#[circuit_breaker(SHARED)]
async fn mistaken() -> Option<u8> {
    None
}

fn main() {}
