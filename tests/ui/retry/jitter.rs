use steadfast::retry;

#[retry(jitter = fulll)]
async fn misspelt() -> Option<u8> {
    None
}

#[retry(jitter = decorrelated)]
async fn unknown() -> Option<u8> {
    None
}

#[retry(jitter = "full")]
async fn quoted() -> Option<u8> {
    None
}

#[retry(jitter = false)]
async fn flag() -> Option<u8> {
    None
}

#[retry(jitter = Jitter::Full)]
async fn path() -> Option<u8> {
    None
}

fn main() {}
