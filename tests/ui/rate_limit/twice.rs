use steadfast::rate_limit;

#[rate_limit(10 / 1s)]
#[rate_limit(10 / 1s)]
async fn again() -> Option<u8> {
    None
}

fn main() {}
