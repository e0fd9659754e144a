use steadfast::async_cached;

struct Users {
    tenant: u64,
}

impl Users {
    #[async_cached(ttl = 60s)]
    async fn user(&self, id: u64) -> u64 {
        self.tenant + id
    }

    #[async_cached(skip(self))]
    async fn decided(&self, id: u64) -> u64 {
        self.tenant + id
    }
}

fn main() {}
