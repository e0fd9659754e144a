use steadfast::timeout;

#[timeout(5s, or_else = |_| 0, or_else = |_| 1)]
async fn twice() -> u8 {
    0
}

fn main() {}
