use steadfast::async_cached;

#[derive(PartialEq, Eq, Hash)]
struct Id(u64);

#[async_cached]
async fn total(ids: &[Id]) -> u64 {
    ids.iter().map(|id| id.0).sum()
}

fn main() {}
