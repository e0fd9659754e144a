use steadfast::async_cached;

type Reply = Result<u64, String>;

#[async_cached(handle = replies)]
async fn reply(id: u64) -> Reply {
    Ok(id)
}

fn main() {}
