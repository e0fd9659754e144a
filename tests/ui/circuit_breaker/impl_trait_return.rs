use steadfast::circuit_breaker;

#[circuit_breaker(failures = 3)]
async fn numbers() -> impl Iterator<Item = u8> {
    0..4
}

fn main() {}
