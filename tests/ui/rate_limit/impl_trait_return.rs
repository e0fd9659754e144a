use steadfast::rate_limit;

#[rate_limit(10 / 1s)]
async fn numbers() -> impl Iterator<Item = u8> {
    0..4
}

fn main() {}
