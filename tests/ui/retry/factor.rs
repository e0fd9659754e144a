use steadfast::retry;

#[retry(factor = 0.5)]
async fn shrinks() -> Option<u8> {
    None
}

#[retry(factor = -2)]
async fn negative() -> Option<u8> {
    None
}

#[retry(factor = 2s)]
async fn unit() -> Option<u8> {
    None
}

#[retry(factor = "2")]
async fn quoted() -> Option<u8> {
    None
}

#[retry(factor = growth)]
async fn wrong_type(growth: &str) -> Option<u8> {
    growth.bytes().next()
}

fn main() {}
