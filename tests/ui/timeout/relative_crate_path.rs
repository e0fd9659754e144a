use steadfast::timeout;

#[timeout(5s, crate = vendored::steadfast)]
async fn relative() -> Option<u8> {
    None
}

#[timeout(5s, crate = "::steadfast")]
async fn quoted() -> Option<u8> {
    None
}

fn main() {}
