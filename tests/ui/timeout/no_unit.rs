use steadfast::timeout;

#[timeout(5)]
async fn integer() -> Option<u8> {
    None
}

#[timeout(2.5)]
async fn float() -> Option<u8> {
    None
}

#[timeout(5u64)]
async fn typed() -> Option<u8> {
    None
}

fn main() {}
