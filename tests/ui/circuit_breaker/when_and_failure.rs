use steadfast::circuit_breaker;

#[circuit_breaker(when = |_| true, failure = |_| true)]
async fn both() -> Option<u8> {
    None
}

fn main() {}
