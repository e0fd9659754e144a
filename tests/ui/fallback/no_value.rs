use steadfast::fallback;

#[fallback()]
async fn none() -> Option<u8> {
    None
}

fn main() {}
