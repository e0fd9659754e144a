use steadfast::async_cached;

#[async_cached(detached)]
async fn reference(id: &u64) -> u64 {
    *id
}

#[async_cached(ttl = 1s, stale_while_revalidate = 1s)]
async fn path(path: &std::path::Path) -> usize {
    path.as_os_str().len()
}

#[async_cached(ttl = 1s, refresh_ahead = 0.5)]
async fn nested(names: &[&str]) -> usize {
    names.len()
}

#[async_cached(detached, skip(buffer))]
async fn mutable(id: u64, buffer: &mut String) -> usize {
    buffer.len() + id as usize
}

fn main() {}
