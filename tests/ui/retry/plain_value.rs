use steadfast::retry;

#[retry(attempts = 3)]
async fn status() -> u16 {
    200
}

#[retry]
async fn nothing() {}

fn main() {}
