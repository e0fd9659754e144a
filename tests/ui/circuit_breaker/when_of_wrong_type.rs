use steadfast::circuit_breaker;

#[circuit_breaker(when = |error| error.to_string())]
async fn not_a_bool() -> Result<u8, std::io::Error> {
    Ok(1)
}

#[circuit_breaker(when = true)]
async fn not_a_closure() -> Result<u8, std::io::Error> {
    Ok(1)
}

fn main() {}
