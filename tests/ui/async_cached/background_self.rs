use steadfast::async_cached;

#[derive(Clone)]
struct Users;

impl Users {
    #[async_cached(detached, skip(self))]
    async fn user(&self, id: u64) -> u64 {
        id
    }

    #[async_cached(detached, skip(self))]
    async fn pinned(self: std::pin::Pin<&mut Self>, id: u64) -> u64 {
        id
    }
}

fn main() {}
