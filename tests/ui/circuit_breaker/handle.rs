use steadfast::circuit_breaker;

pub struct Client;

impl Client {
    #[circuit_breaker(handle = breaker)]
    async fn of_a_method(&self) -> Option<u8> {
        None
    }
}

#[circuit_breaker(handle = other::breaker)]
async fn elsewhere() -> Option<u8> {
    None
}

#[circuit_breaker(handle = breaker: steadfast::CircuitBreaker)]
async fn with_a_type() -> Option<u8> {
    None
}

#[allow(non_upper_case_globals)]
#[circuit_breaker(handle = of_two)]
async fn constant<const of_two: usize>() -> Option<usize> {
    Some(of_two)
}

fn main() {}
