use steadfast::timeout;

#[timeout(5s or_else = |_| 0)]
async fn no_comma() -> u8 {
    0
}

fn main() {}
