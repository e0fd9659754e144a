use steadfast::timeout;

#[timeout(5s, or_else)]
async fn no_equals() -> u8 {
    0
}

#[timeout(5s, or_else =)]
async fn nothing() -> u8 {
    0
}

#[timeout(5s, or_else(|_| 0))]
async fn parentheses() -> u8 {
    0
}

#[timeout(5s, or_else: |_| 0)]
async fn colon() -> u8 {
    0
}

fn main() {}
