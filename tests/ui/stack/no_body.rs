use steadfast::{offload_blocking, retry, timeout};

trait Store {
    #[timeout(5s)]
    async fn read(&self, id: u64) -> Option<u64>;

    #[retry]
    #[timeout(5s)]
    async fn write(&self, id: u64) -> Option<u64>;
}

trait Blocking {
    #[offload_blocking]
    fn hash(self, id: u64) -> u64;
}

fn main() {}
