use steadfast::async_cached;

#[async_cached(refresh_if = force)]
async fn number(id: u64, force: u8) -> u64 {
    id
}

#[async_cached(refresh_if = |force| force)]
async fn closure(id: u64, force: bool) -> u64 {
    id + u64::from(force)
}

fn main() {}
