use steadfast::rate_limit;

#[rate_limit(10 / 1s or_else = |_| 0)]
async fn no_comma() -> u8 {
    0
}

fn main() {}
