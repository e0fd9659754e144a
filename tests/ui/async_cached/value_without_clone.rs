use steadfast::async_cached;

struct User;

#[async_cached]
async fn plain(id: u64) -> User {
    let _ = id;
    User
}

#[async_cached]
async fn result(id: u64) -> Result<User, String> {
    Err(id.to_string())
}

#[async_cached]
async fn option(id: u64) -> Option<User> {
    let _ = id;
    None
}

fn main() {}
