use steadfast::async_cached;

#[async_cached]
async fn numbers(to: u8) -> impl Iterator<Item = u8> {
    0..to
}

#[async_cached(handle = ranges)]
async fn with_handle(to: u8) -> impl Iterator<Item = u8> + Clone {
    0..to
}

fn main() {}
