use steadfast::timeout;

const SECONDS: u64 = 5;

#[timeout(SECONDS)]
async fn constant() -> Option<u8> {
    None
}

#[timeout(limit * 2)]
async fn argument(limit: u32) -> Option<u8> {
    Some(limit as u8)
}

fn main() {}
