use steadfast::{Cache, async_cached};

static USERS: Cache<u64, u64> = Cache::new(100);

#[async_cached(cache = USERS, capacity = 10)]
async fn capacity(id: u64) -> u64 {
    id
}

#[async_cached(cache = USERS, unbounded)]
async fn unbounded(id: u64) -> u64 {
    id
}

#[async_cached(cache = USERS, handle = users)]
async fn handle(id: u64) -> u64 {
    id
}

fn main() {}
