use steadfast::{Cache, async_cached, invalidates};

static NAMES: Cache<(u64, String), u64> = Cache::new(10);

#[async_cached(handle = users)]
async fn user(id: u64) -> u64 {
    id
}

#[invalidates(users(), key = name)]
async fn text(name: String) -> usize {
    name.len()
}

#[invalidates(users(), key = id + 1)]
async fn narrow(id: u32) -> u32 {
    id
}

#[invalidates(NAMES, key = (name, tenant), always)]
async fn reversed(tenant: u64, name: &str) {}

#[invalidates(users(), key = |name| name.clone())]
async fn computed(name: String) -> Option<String> {
    Some(name)
}

fn main() {}
