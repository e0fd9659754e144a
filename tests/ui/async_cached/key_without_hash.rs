use steadfast::async_cached;

#[derive(Clone, PartialEq, Eq)]
struct Id(u64);

#[async_cached]
async fn user(id: Id) -> u64 {
    id.0
}

fn main() {}
