use steadfast::circuit_breaker;

#[circuit_breaker(failures = "5")]
async fn text() -> Option<u8> {
    None
}

#[circuit_breaker(open_for = -30s)]
async fn negative() -> Option<u8> {
    None
}

#[circuit_breaker(slow_call = "2s")]
async fn quoted() -> Option<u8> {
    None
}

#[circuit_breaker(failure_rate = 50)]
async fn percent() -> Option<u8> {
    None
}

#[circuit_breaker(failures = 2 / 1min)]
async fn of_a_rate() -> Option<u8> {
    None
}

#[circuit_breaker(probes = 1.5)]
async fn one_and_a_half() -> Option<u8> {
    None
}

fn main() {}
