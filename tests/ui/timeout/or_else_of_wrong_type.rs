use steadfast::timeout;

#[timeout(5s, or_else = |_| "none")]
async fn text() -> u64 {
    0
}

#[timeout(5s, or_else = 0)]
async fn value() -> u64 {
    0
}

#[timeout(5s, or_else = || 0)]
async fn no_argument() -> u64 {
    0
}

fn main() {}
