use steadfast::timeout;

#[timeout(or_else = |_| 0, 5s)]
async fn last() -> u8 {
    0
}

fn main() {}
