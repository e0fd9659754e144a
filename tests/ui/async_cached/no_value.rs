use steadfast::async_cached;

#[async_cached(ttl)]
async fn nothing(id: u64) -> u64 {
    id
}

#[async_cached(ttl =)]
async fn nothing_behind(id: u64) -> u64 {
    id
}

#[async_cached(skip)]
async fn no_names(id: u64) -> u64 {
    id
}

#[async_cached(skip())]
async fn no_name(id: u64) -> u64 {
    id
}

fn main() {}
