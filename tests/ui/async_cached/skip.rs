use steadfast::async_cached;

#[async_cached(skip(dbb))]
async fn unknown(db: &str, id: u64) -> String {
    format!("{db}{id}")
}

#[async_cached(skip(db))]
async fn no_arguments() -> u64 {
    0
}

#[async_cached(skip(db, db))]
async fn twice(db: &str, id: u64) -> String {
    format!("{db}{id}")
}

#[async_cached(skip())]
async fn empty(id: u64) -> u64 {
    id
}

#[async_cached(skip = db)]
async fn equals(db: &str, id: u64) -> String {
    format!("{db}{id}")
}

#[async_cached(skip(self))]
async fn no_self(id: u64) -> u64 {
    id
}

fn main() {}
