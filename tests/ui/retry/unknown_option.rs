use steadfast::retry;

#[retry(atempts = 3)]
async fn misspelt() -> Option<u8> {
    None
}

#[retry(dealy = 1s)]
async fn swapped() -> Option<u8> {
    None
}

#[retry(color = red)]
async fn unknown() -> Option<u8> {
    None
}

#[retry(max_attempts = 3, backoff = 1s, retry_if = |_| true)]
async fn names_of_other_crates() -> Option<u8> {
    None
}

fn main() {}
