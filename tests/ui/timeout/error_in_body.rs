use steadfast::timeout;

// The body is the user's own: its errors are those of rustc, once, and where they are.
#[timeout(5s)]
async fn wrong() -> Option<u8> {
    let length: u16 = "five";
    u8::try_from(length).ok()
}

#[timeout(5s)]
async fn wrong_value() -> Option<u8> {
    "five"
}

fn main() {}
