use steadfast::{CircuitBreaker, Keyed, circuit_breaker};

static HOSTS: Keyed<String, CircuitBreaker> = Keyed::new(CircuitBreaker::new);
static ONE: CircuitBreaker = CircuitBreaker::new();

#[circuit_breaker(HOSTS, key = id)]
async fn another_type(id: u32) -> Option<u32> {
    None
}

#[circuit_breaker(ONE, key = host)]
async fn not_keyed(host: &str) -> Option<u32> {
    None
}

#[circuit_breaker(HOSTS)]
async fn without_key(host: &str) -> Option<u32> {
    None
}

fn main() {}
