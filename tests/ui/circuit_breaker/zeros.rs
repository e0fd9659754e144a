use steadfast::circuit_breaker;

#[circuit_breaker(failures = 0)]
async fn failures() -> Option<u8> {
    None
}

#[circuit_breaker(probes = 0)]
async fn probes() -> Option<u8> {
    None
}

#[circuit_breaker(open_for = 0s)]
async fn open_for() -> Option<u8> {
    None
}

#[circuit_breaker(failure_rate = 0.5, window = 0)]
async fn window_calls() -> Option<u8> {
    None
}

#[circuit_breaker(window = 0s)]
async fn window_time() -> Option<u8> {
    None
}

#[circuit_breaker(slow_call = 0ms)]
async fn slow_call() -> Option<u8> {
    None
}

fn main() {}
