use steadfast::timeout;

#[timeout(5m)]
async fn minutes_or_milliseconds() -> Option<u8> {
    None
}

fn main() {}
