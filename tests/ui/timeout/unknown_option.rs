use steadfast::timeout;

#[timeout(5s, retries = 3)]
async fn retries() -> Option<u8> {
    None
}

#[timeout(5s, or_esle = |_| 0)]
async fn misspelt() -> u8 {
    0
}

#[timeout(5s, default = 0)]
async fn default() -> u8 {
    0
}

fn main() {}
