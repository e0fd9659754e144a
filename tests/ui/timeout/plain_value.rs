use steadfast::timeout;

#[timeout(5s)]
async fn count() -> u64 {
    0
}

fn main() {}
