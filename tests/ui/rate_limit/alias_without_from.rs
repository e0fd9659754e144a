use steadfast::rate_limit;

type Reply = Result<u64, String>;

#[rate_limit(10 / 1s)]
async fn reply() -> Reply {
    Ok(1)
}

fn main() {}
