use steadfast::rate_limit;

#[rate_limit(10 / 1s, key = name)]
async fn unknown() -> Option<u8> {
    None
}

fn main() {}
