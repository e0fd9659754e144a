use steadfast::async_cached;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Query<'a>(&'a str);

#[async_cached]
async fn search(query: Query) -> usize {
    query.0.len()
}

fn main() {}
