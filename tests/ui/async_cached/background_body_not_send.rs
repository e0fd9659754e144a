use steadfast::async_cached;

#[async_cached(detached)]
async fn held(id: u64) -> u64 {
    let local: *const u64 = &id;
    std::future::ready(()).await;
    let _ = local;
    id
}

fn main() {}
