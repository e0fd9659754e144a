use steadfast::rate_limit;

#[rate_limit(100 / s)]
async fn letter() -> Option<u8> {
    None
}

#[rate_limit(5 / minute, key = user)]
async fn word(user: u64) -> Option<u64> {
    Some(user)
}

fn main() {}
