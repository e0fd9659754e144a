use steadfast::{retry, timeout};

#[timeout(5s)]
#[retry]
#[timeout(1s)]
async fn count() -> u64 {
    0
}

fn main() {}
