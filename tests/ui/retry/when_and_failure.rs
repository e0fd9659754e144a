use steadfast::retry;

#[retry(when = |_| true, failure = |outcome: &Option<u8>| outcome.is_none())]
async fn both() -> Option<u8> {
    None
}

fn main() {}
