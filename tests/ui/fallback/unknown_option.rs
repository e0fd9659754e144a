use steadfast::fallback;

#[fallback(1, when = true)]
async fn option() -> Option<u8> {
    None
}

fn main() {}
