use steadfast::{Cache, invalidates};

static USERS: Cache<u64, u64> = Cache::new(10);

#[invalidates(USERS, key = |id, value| *id)]
async fn two_arguments(id: u64) -> u64 {
    id
}

#[invalidates(USERS, key = || 7)]
async fn no_argument(id: u64) -> u64 {
    id
}

#[invalidates(USERS, tag = |id| format!("user:{id}"), always)]
async fn always(id: u64) -> u64 {
    id
}

fn main() {}
