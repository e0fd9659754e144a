use steadfast::circuit_breaker;

#[circuit_breaker(failures = 3 or_else = |_| 0)]
async fn no_comma() -> u8 {
    0
}

fn main() {}
