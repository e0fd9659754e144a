use steadfast::retry;

async fn refresh() {}

async fn is_transient<E>(_: &E) -> bool {
    true
}

#[retry(on_retry = |_| async { refresh().await })]
async fn not_awaited() -> Result<u8, String> {
    Ok(1)
}

#[retry(gave_up = |_| async move { refresh().await })]
async fn nor_this() -> Result<u8, String> {
    Ok(1)
}

#[retry(when = async |error| is_transient(error).await)]
async fn decides() -> Result<u8, String> {
    Ok(1)
}

fn main() {}
