use steadfast::retry;

#[derive(Clone)]
struct Client;

impl Client {
    #[retry(clone(self))]
    async fn fetch(&self) -> Option<u8> {
        None
    }
}

fn main() {}
