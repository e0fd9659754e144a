use steadfast::rate_limit;

#[rate_limit(100)]
async fn count() -> Option<u8> {
    None
}

#[rate_limit(1s)]
async fn time() -> Option<u8> {
    None
}

fn main() {}
