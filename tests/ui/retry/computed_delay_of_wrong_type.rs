use steadfast::retry;

#[retry(delay = |event| event.attempt())]
async fn a_number() -> Option<u8> {
    None
}

fn main() {}
