use steadfast::timeout;

#[timeout(duration = 5s)]
async fn named() -> Option<u8> {
    None
}

fn main() {}
