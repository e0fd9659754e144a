use steadfast::fallback;

#[fallback(1, 2)]
async fn two() -> Option<u8> {
    None
}

#[fallback(1 2)]
async fn no_comma() -> Option<u8> {
    None
}

fn main() {}
