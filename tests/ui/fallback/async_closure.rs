use steadfast::fallback;

#[fallback(async |_| 1)]
async fn awaited() -> Option<u8> {
    None
}

#[fallback(|_| async { 1 })]
async fn future() -> Option<u8> {
    None
}

fn main() {}
