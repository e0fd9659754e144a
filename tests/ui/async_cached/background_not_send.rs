use steadfast::async_cached;

struct Local(*const u8);

#[async_cached(detached, skip(local))]
async fn argument(id: u64, local: Local) -> u64 {
    let _ = local;
    id
}

#[async_cached(detached)]
async fn error(id: u64) -> Result<u64, Local> {
    Ok(id)
}

fn main() {}
