use steadfast::circuit_breaker;

type Reply = Result<u64, String>;

#[circuit_breaker(failures = 3)]
async fn reply() -> Reply {
    Ok(1)
}

fn main() {}
