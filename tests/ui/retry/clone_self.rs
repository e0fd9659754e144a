use steadfast::retry;

#[derive(Clone)]
struct Client;

impl Client {
    #[retry(clone(self))]
    async fn fetch(self) -> Option<u8> {
        drop(self);
        None
    }
}

fn main() {}
