use steadfast::retry;

#[retry(delay = millis)]
async fn delay(millis: u64) -> Option<u64> {
    Some(millis)
}

#[retry(max_delay = millis)]
async fn max_delay(millis: u64) -> Option<u64> {
    Some(millis)
}

#[retry(max_elapsed = millis)]
async fn max_elapsed(millis: u64) -> Option<u64> {
    Some(millis)
}

fn main() {}
