use steadfast::retry;

#[retry(attempts = 0, delay = 5, jitter = ful)]
async fn three() -> Option<u8> {
    None
}

fn main() {}
