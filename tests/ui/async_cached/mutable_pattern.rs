use steadfast::async_cached;

#[async_cached]
async fn first((ref mut a, b): (u64, u64)) -> u64 {
    *a += b;
    *a
}

fn main() {}
