use steadfast::rate_limit;

pub struct Client;

impl Client {
    #[rate_limit(10 / 1s, handle = limits)]
    async fn call(&self) -> Option<u8> {
        None
    }
}

fn main() {}
