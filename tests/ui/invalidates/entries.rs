use steadfast::{Cache, invalidates};

static USERS: Cache<u64, u64> = Cache::new(10);

#[invalidates(USERS)]
async fn nothing(id: u64) {}

#[invalidates(USERS, always)]
async fn always(id: u64) {}

#[invalidates(USERS, key = id, tag = "users", all)]
async fn several(id: u64) {}

#[invalidates(USERS, keys = id)]
async fn unknown(id: u64) {}

#[invalidates(USERS, all = true)]
async fn flag_with_value(id: u64) {}

fn main() {}
