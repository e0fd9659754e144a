use steadfast::timeout;

#[timeout(5sec)]
async fn seconds() -> Option<u8> {
    None
}

#[timeout(5minutes)]
async fn minutes() -> Option<u8> {
    None
}

#[timeout(500MS)]
async fn capitals() -> Option<u8> {
    None
}

#[timeout(2w)]
async fn weeks() -> Option<u8> {
    None
}

fn main() {}
