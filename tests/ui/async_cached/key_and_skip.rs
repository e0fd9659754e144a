use steadfast::async_cached;

#[async_cached(key = id, skip(name))]
async fn both(id: u64, name: String) -> String {
    format!("{id}{name}")
}

fn main() {}
