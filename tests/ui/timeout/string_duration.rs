use steadfast::timeout;

#[timeout("5s")]
async fn quoted() -> Option<u8> {
    None
}

#[timeout("soon")]
async fn vague() -> Option<u8> {
    None
}

#[timeout(true)]
async fn yes() -> Option<u8> {
    None
}

fn main() {}
