use steadfast::circuit_breaker;

#[circuit_breaker(failure_rate = 0.5, window = "a while".len() as f32)]
async fn mistaken() -> Option<u8> {
    None
}

fn main() {}
