use steadfast::timeout;

type Reply = Result<u64, String>;

#[timeout(5s)]
async fn reply() -> Reply {
    Ok(1)
}

fn main() {}
