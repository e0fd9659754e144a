use steadfast::async_cached;

#[derive(Clone)]
struct Id(u64);

#[async_cached(key = id.0 as f64)]
async fn float(id: Id) -> u64 {
    id.0
}

#[async_cached(key = id.clone())]
async fn without_hash(id: Id) -> u64 {
    id.0
}

#[async_cached(key = (id.clone(), name))]
async fn part(id: Id, name: String) -> String {
    format!("{}{name}", id.0)
}

fn main() {}
