use steadfast::timeout;

#[timeout(1e3s)]
async fn exponent() -> Option<u8> {
    None
}

#[timeout(0.1234567890123456789s)]
async fn digits() -> Option<u8> {
    None
}

fn main() {}
