use steadfast::fallback;

#[fallback(|| 1)]
async fn nothing() -> Option<u8> {
    None
}

#[fallback(|error, other| 1)]
async fn two() -> Option<u8> {
    None
}

fn main() {}
