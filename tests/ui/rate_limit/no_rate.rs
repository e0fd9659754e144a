use steadfast::rate_limit;

#[rate_limit()]
async fn none() -> Option<u8> {
    None
}

#[rate_limit(burst = 3)]
async fn options_only() -> Option<u8> {
    None
}

fn main() {}
