use steadfast::async_cached;

#[async_cached(on_evict = println!("gone"))]
async fn not_a_closure(id: u64) -> u64 {
    id
}

#[async_cached(on_evict = |_| println!("gone"))]
async fn one_argument(id: u64) -> u64 {
    id
}

fn main() {}
