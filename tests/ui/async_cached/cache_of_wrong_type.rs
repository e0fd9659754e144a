use steadfast::{Cache, async_cached};

static NAMES: Cache<u64, String> = Cache::new(100);

#[async_cached(cache = NAMES)]
async fn wrong_value(id: u64) -> Vec<u8> {
    vec![id as u8]
}

#[async_cached(cache = NAMES)]
async fn wrong_key(id: u32) -> String {
    id.to_string()
}

#[async_cached(cache = 100)]
async fn not_a_cache(id: u64) -> u64 {
    id
}

fn main() {}
