use steadfast::async_cached;

#[derive(PartialEq, Eq, Hash)]
struct Id(u64);

#[async_cached]
async fn by_value(id: Id) -> u64 {
    id.0
}

#[async_cached]
async fn by_reference(id: &Id) -> u64 {
    id.0
}

fn main() {}
