use steadfast::timeout;

#[timeout(1s, 2s)]
async fn two() -> Option<u8> {
    None
}

fn main() {}
