use steadfast::retry;

#[retry(3)]
async fn unnamed() -> Option<u8> {
    None
}

#[retry(3, delay = 1s)]
async fn first() -> Option<u8> {
    None
}

fn main() {}
