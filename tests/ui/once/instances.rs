use std::sync::Arc;
use std::time::Duration;

use steadfast::{async_cached, circuit_breaker, concurrency_limit, offload_blocking, rate_limit};

struct Client {
    n: u32,
    period: Duration,
    places: usize,
}

impl Client {
    #[rate_limit(self.n / self.period, burst = self.n)]
    async fn rated(&self) -> Option<u32> {
        Some(self.n)
    }

    #[concurrency_limit(self.places)]
    async fn limited(&self) -> Option<u32> {
        Some(self.n)
    }

    #[circuit_breaker(failures = self.n, open_for = self.period)]
    async fn broken(&self) -> Option<u32> {
        Some(self.n)
    }

    #[offload_blocking(limit = self.places)]
    fn offloaded(self: Arc<Self>) -> u32 {
        self.n
    }

    #[async_cached(skip(self), capacity = self.places)]
    async fn cached(&self, id: u64) -> u64 {
        id
    }
}

fn main() {
    let _ = Client { n: 1, period: Duration::ZERO, places: 1 };
}
