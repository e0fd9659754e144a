use steadfast::retry;

#[retry(delay = 10s, max_delay = 1s)]
async fn shorter() -> Option<u8> {
    None
}

fn main() {}
