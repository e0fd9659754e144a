use steadfast::rate_limit;

#[rate_limit(burst)]
async fn first() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, key)]
async fn later() -> Option<u8> {
    None
}

fn main() {}
