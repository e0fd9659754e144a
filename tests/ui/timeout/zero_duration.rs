use steadfast::timeout;

#[timeout(0s)]
async fn never() -> Option<u8> {
    None
}

fn main() {}
