use steadfast::timeout;

#[timeout]
async fn bare() -> Option<u8> {
    None
}

#[timeout()]
async fn empty() -> Option<u8> {
    None
}

#[timeout(or_else = |_| 0)]
async fn without() -> u8 {
    0
}

fn main() {}
