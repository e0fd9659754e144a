use steadfast::circuit_breaker;

#[circuit_breaker(failure = |status| status, or_else = |_| 503)]
async fn not_a_bool() -> u16 {
    200
}

#[circuit_breaker(failure = 500, or_else = |_| 503)]
async fn not_a_closure() -> u16 {
    200
}

fn main() {}
