use steadfast::{Cache, invalidates};

#[derive(PartialEq, Eq, Hash)]
struct Id(u64);

static USERS: Cache<Id, u64> = Cache::new(10);

#[invalidates(USERS, key = id)]
async fn write(id: Id) {
    drop(id);
}

fn main() {}
