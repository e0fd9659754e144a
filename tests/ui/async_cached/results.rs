use steadfast::async_cached;

#[async_cached(store_if = id > 0, cache_if = |id| id > 0, shared_error = || ())]
async fn kinds(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[async_cached(cache_if = true)]
async fn always(id: u64) -> u64 {
    id
}

#[async_cached(cache_if = false)]
async fn never(id: u64) -> u64 {
    id
}

#[async_cached(single_flight = false, shared_error = |error| error.clone())]
async fn nothing_to_share(id: u64) -> Result<u64, String> {
    Err(id.to_string())
}

#[async_cached(shared_error = |_| format!("not {id}"))]
async fn of_another_caller(id: u64) -> Result<u64, String> {
    Err(id.to_string())
}

#[async_cached(ttl = |value, previous, more| 1s)]
async fn three(id: u64) -> u64 {
    id
}

fn main() {}
