use steadfast::async_cached;

#[derive(Clone, Hash)]
struct Id(u64);

#[async_cached]
async fn user(id: &Id) -> u64 {
    id.0
}

fn main() {}
