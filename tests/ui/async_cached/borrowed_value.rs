use std::borrow::Cow;

use steadfast::{async_cached, coalesce};

#[derive(Clone, PartialEq, Eq, Hash)]
struct User {
    name: String,
}

#[async_cached]
async fn text<'a>(text: &'a str) -> &'a str {
    text
}

#[async_cached(ttl = 1s)]
async fn in_a_result(user: &User) -> std::io::Result<&User> {
    Ok(user)
}

#[async_cached]
async fn in_an_option(all: &[u8]) -> Option<&[u8]> {
    Some(all)
}

#[async_cached]
async fn either(text: &str) -> Cow<'_, str> {
    text.into()
}

#[coalesce]
async fn shared(user: &User) -> Result<&str, String> {
    Ok(&user.name)
}

fn main() {}
