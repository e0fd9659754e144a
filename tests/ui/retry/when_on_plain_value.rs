use steadfast::retry;

#[retry(when = |status| *status >= 500)]
async fn when() -> u16 {
    200
}

#[retry(failure = |status| *status >= 500, retry_after = |_| None)]
async fn retry_after() -> u16 {
    200
}

fn main() {}
