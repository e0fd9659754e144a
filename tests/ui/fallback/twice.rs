use steadfast::fallback;

#[fallback(1)]
#[fallback(2)]
async fn again() -> Option<u8> {
    None
}

fn main() {}
