use steadfast::concurrency_limit;

type Reply = Result<u64, String>;

#[concurrency_limit(8, max_wait = 1s)]
async fn reply() -> Reply {
    Ok(1)
}

fn main() {}
