use steadfast::fallback;

#[fallback(DEFAULT)]
async fn unknown() -> Option<u8> {
    None
}

fn main() {}
