use steadfast::rate_limit;

const SHARED: u32 = 5;

#[rate_limit(SHARED)]
async fn mistaken() -> Option<u8> {
    None
}

fn main() {}
