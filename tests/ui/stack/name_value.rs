use steadfast::{retry, timeout};

#[timeout(5s)]
#[retry = "3"]
async fn fetch() -> Option<u8> {
    None
}

fn main() {}
