use steadfast::circuit_breaker;

#[circuit_breaker(when = |status| *status >= 500, or_else = |_| 503)]
async fn plain() -> u16 {
    200
}

fn main() {}
