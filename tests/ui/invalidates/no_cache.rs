use steadfast::{Cache, invalidates};

static USERS: Cache<u64, u64> = Cache::new(10);

#[invalidates]
async fn nothing() {}

#[invalidates(key = id)]
async fn key_alone(id: u64) {}

#[invalidates(all, USERS)]
async fn flag_first() {}

#[invalidates(key)]
async fn no_value(key: u64) {}

#[invalidates(Cache::new(10), all)]
async fn made_for_each_call() {}

fn main() {}
