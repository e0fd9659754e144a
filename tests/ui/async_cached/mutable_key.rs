use steadfast::async_cached;

#[async_cached]
async fn append(log: &mut Vec<u64>, id: u64) -> u64 {
    log.push(id);
    id
}

fn main() {}
