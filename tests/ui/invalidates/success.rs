use steadfast::{Cache, invalidates};

static USERS: Cache<u64, u64> = Cache::new(10);

#[invalidates(USERS, key = id)]
async fn either<R: Default>(id: u64) -> R {
    R::default()
}

#[invalidates(USERS, all)]
async fn never() -> ! {
    std::future::pending().await
}

#[invalidates(USERS, all)]
fn blocking() {}

fn main() {}
