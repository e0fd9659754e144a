use steadfast::circuit_breaker;

#[circuit_breaker(slow_rate = 0.5)]
async fn without_slow_call() -> Option<u32> {
    None
}

#[circuit_breaker(slow_call = 1s, slow_rate = 1.5)]
async fn above_one() -> Option<u32> {
    None
}

#[circuit_breaker(slow_call = 1s, slow_rate = 50%)]
async fn percent() -> Option<u32> {
    None
}

#[circuit_breaker(open_jitter = 2.0)]
async fn jitter() -> Option<u32> {
    None
}

#[circuit_breaker(ignore = |_, _| true)]
async fn two_arguments() -> Option<u32> {
    None
}

fn main() {}
