use steadfast::async_cached;

#[async_cached(handle = caches::users)]
async fn elsewhere(id: u64) -> u64 {
    id
}

#[async_cached(handle = "users")]
async fn quoted(id: u64) -> u64 {
    id
}

struct Users;

impl Users {
    #[async_cached(skip(self), handle = users)]
    async fn user(&self, id: u64) -> u64 {
        id
    }

    #[async_cached(handle = of_all)]
    async fn all(id: u64) -> u64 {
        id
    }
}

fn main() {}
