use steadfast::async_cached;

struct Db;

#[async_cached]
async fn user(db: &Db, id: u64) -> u64 {
    let _ = db;
    id
}

fn main() {}
