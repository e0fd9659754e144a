use steadfast::concurrency_limit;

pub struct Client;

impl Client {
    #[concurrency_limit(8, handle = limits)]
    async fn call(&self) -> Option<u8> {
        None
    }
}

fn main() {}
