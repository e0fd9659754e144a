use steadfast::circuit_breaker;

#[circuit_breaker]
fn blocking() -> Option<u8> {
    None
}

fn main() {}
