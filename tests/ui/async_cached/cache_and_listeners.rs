use steadfast::{Cache, async_cached};

#[async_cached(cache = USERS, weight = |_, _| 1)]
async fn weight(id: u64) -> u64 {
    id
}

#[async_cached(cache = USERS, on_evict = |_, _, _| ())]
async fn on_evict(id: u64) -> u64 {
    id
}

static USERS: Cache<u64, u64> = Cache::new(100);

fn main() {}
