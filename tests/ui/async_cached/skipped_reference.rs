use steadfast::{async_cached, coalesce};

struct Db;

#[async_cached]
async fn user(db: &Db, id: u64) -> u64 {
    let _ = db;
    id
}

#[coalesce]
async fn name(db: &Db, name: impl Into<String>) -> String {
    let _ = db;
    name.into()
}

fn main() {}
