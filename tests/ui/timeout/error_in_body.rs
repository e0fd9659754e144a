use steadfast::timeout;

// The body is the user's own: its errors are those of rustc, once, and where they are.
#[timeout(5s)]
async fn wrong() -> Option<u8> {
    let text: &str = 5;
    Some(text.len())
}

fn main() {}
