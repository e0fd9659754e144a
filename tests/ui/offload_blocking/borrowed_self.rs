use std::pin::Pin;
use steadfast::offload_blocking;

struct Store;

impl Store {
    #[offload_blocking]
    fn read(&self) -> u64 {
        1
    }

    #[offload_blocking]
    fn write(&mut self, value: u64) -> u64 {
        value
    }

    #[offload_blocking]
    fn pinned(self: Pin<&mut Self>) -> u64 {
        1
    }
}

fn main() {}
