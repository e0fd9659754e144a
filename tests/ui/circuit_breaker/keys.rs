use steadfast::{CircuitBreaker, Keyed, circuit_breaker};

static HOSTS: Keyed<String, CircuitBreaker> = Keyed::new(CircuitBreaker::new);
static ONE: CircuitBreaker = CircuitBreaker::new();

#[circuit_breaker(max_keys = 10)]
async fn no_key(host: &str) -> Option<u32> {
    None
}

#[circuit_breaker(key = host, max_keys = 0)]
async fn no_room(host: &str) -> Option<u32> {
    None
}

#[circuit_breaker(HOSTS, key = host, max_keys = 10)]
async fn elsewhere(host: &str) -> Option<u32> {
    None
}

#[circuit_breaker(key = "{host}")]
async fn template(host: &str) -> Option<u32> {
    None
}

#[circuit_breaker(key = host.len() + 1, handle = hosts)]
async fn inferred(host: &str) -> Option<u32> {
    None
}

#[circuit_breaker(key = host, max_keys = most)]
async fn of_the_call(host: &str, most: usize) -> Option<u32> {
    None
}

fn main() {}
