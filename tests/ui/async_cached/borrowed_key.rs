use steadfast::async_cached;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Query<'a>(&'a str);

#[async_cached]
async fn search(query: Query<'_>) -> usize {
    query.0.len()
}

#[async_cached]
async fn by_reference(query: &Query<'_>) -> usize {
    query.0.len()
}

#[async_cached]
async fn list(words: Vec<&str>) -> usize {
    words.len()
}

fn main() {}
