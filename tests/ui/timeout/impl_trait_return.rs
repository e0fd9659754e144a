use steadfast::timeout;

#[timeout(5s)]
async fn numbers() -> impl Iterator<Item = u8> {
    0..4
}

fn main() {}
