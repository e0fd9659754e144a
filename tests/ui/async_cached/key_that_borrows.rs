use steadfast::async_cached;

#[async_cached(key = name.as_str())]
async fn user(name: String) -> usize {
    name.len()
}

fn main() {}
