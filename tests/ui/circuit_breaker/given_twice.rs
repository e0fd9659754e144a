use steadfast::circuit_breaker;

#[circuit_breaker(failures = 3, probes = 2, probes = 1)]
async fn twice() -> Option<u8> {
    None
}

fn main() {}
