use steadfast::{Cache, invalidates};

static USERS: Cache<u64, u64> = Cache::new(10);

#[invalidates(USERS, tag = id)]
async fn number(id: u64) {}

#[invalidates(USERS, tag = |id| *id)]
async fn computed(id: u64) -> u64 {
    id
}

fn main() {}
