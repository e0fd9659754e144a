use steadfast::fallback;

#[fallback(1)]
fn blocking() -> Option<u8> {
    None
}

fn main() {}
