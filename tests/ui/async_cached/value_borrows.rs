use steadfast::async_cached;

#[async_cached]
async fn first(text: &str) -> &str {
    text
}

#[async_cached]
async fn find(text: &str) -> Option<&str> {
    Some(text)
}

fn main() {}
