use steadfast::circuit_breaker;

#[circuit_breaker(failures = 3)]
async fn neither_refused_nor_judged() -> u16 {
    200
}

#[circuit_breaker(failures = 3, or_else = |_| 503)]
async fn not_judged() -> u16 {
    200
}

#[circuit_breaker(failures = 3, when = |_| true, or_else = |_| 503)]
async fn judged_by_no_error() -> u16 {
    200
}

fn main() {}
