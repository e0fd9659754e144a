use steadfast::retry;

#[retry(delay = 0s, factor = 3)]
async fn factor() -> Option<u8> {
    None
}

#[retry(delay = 0s, max_delay = 1s, jitter = full)]
async fn both() -> Option<u8> {
    None
}

fn main() {}
