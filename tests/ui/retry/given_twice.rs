use steadfast::retry;

#[retry(attempts = 3, delay = 1s, attempts = 4)]
async fn twice() -> Option<u8> {
    None
}

fn main() {}
