use std::sync::Arc;

use steadfast::batched;

struct Db;

#[batched(share(pool))]
async fn unknown(db: Arc<Db>, ids: Vec<u32>) -> Vec<u32> {
    drop(db);
    ids
}

#[batched(share(db))]
async fn all(db: Arc<Db>) -> Vec<u32> {
    drop(db);
    Vec::new()
}

#[batched(share(ids))]
async fn keys(ids: Vec<u32>) -> Vec<u32> {
    ids
}

#[batched(share(db, db))]
async fn twice(db: Arc<Db>, ids: Vec<u32>) -> Vec<u32> {
    drop(db);
    ids
}

#[batched(share(db))]
async fn borrowed(db: &Arc<Db>, ids: Vec<u32>) -> Vec<u32> {
    drop(db.clone());
    ids
}

#[batched(share())]
async fn nothing(ids: Vec<u32>) -> Vec<u32> {
    ids
}

#[batched(share(db), max_batch_size = ids.len())]
async fn read_once(db: Arc<[u32]>, ids: Vec<u32>) -> Vec<u32> {
    drop(db);
    ids
}

#[batched(shared(db))]
async fn near_miss(db: Arc<Db>, ids: Vec<u32>) -> Vec<u32> {
    drop(db);
    ids
}

impl Db {
    #[batched(share(self))]
    async fn borrowed_self(&self, ids: Vec<u32>) -> Vec<u32> {
        ids
    }

    #[batched]
    async fn not_shared(self: Arc<Self>, ids: Vec<u32>) -> Vec<u32> {
        drop(self);
        ids
    }
}

fn main() {}
