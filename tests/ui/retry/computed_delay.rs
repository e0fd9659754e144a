use steadfast::retry;

#[retry(delay = |event| 10ms * event.attempt(), factor = 3)]
async fn factor() -> Option<u8> {
    None
}

#[retry(delay = || 10ms)]
async fn no_argument() -> Option<u8> {
    None
}

#[retry(delay = async |event| 10ms)]
async fn awaits() -> Option<u8> {
    None
}

#[retry(delay = |_| 10)]
async fn no_unit() -> Option<u8> {
    None
}

fn main() {}
