use steadfast::{async_cached, offload_blocking, retry, timeout};

#[timeout(5s)]
struct Client;

#[retry]
impl Client {
    async fn fetch(&self) -> Option<u8> {
        None
    }
}

#[async_cached]
mod caches {}

#[offload_blocking]
const LIMIT: u64 = 5;

#[timeout(5s)]
trait Fetch {
    async fn fetch(&self) -> Option<u8>;
}

fn main() {}
