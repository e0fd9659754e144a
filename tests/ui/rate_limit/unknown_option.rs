use steadfast::rate_limit;

#[rate_limit(10 / 1s, bursts = 3)]
async fn near() -> Option<u8> {
    None
}

#[rate_limit(10 / 1s, colour = 3)]
async fn far() -> Option<u8> {
    None
}

fn main() {}
