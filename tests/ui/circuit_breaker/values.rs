use steadfast::circuit_breaker;

#[circuit_breaker("payments")]
async fn named() -> Option<u8> {
    None
}

#[circuit_breaker(failure_rate = 50%)]
async fn percent() -> Option<u8> {
    None
}

#[circuit_breaker(open_for_max = 10s)]
async fn below_the_default() -> Option<u8> {
    None
}

#[circuit_breaker(handle = itself)]
async fn itself() -> Option<u8> {
    None
}

fn main() {}
