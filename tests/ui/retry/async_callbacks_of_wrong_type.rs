use steadfast::retry;

async fn refresh() -> Result<(), String> {
    Ok(())
}

#[retry(on_retry = async |_| refresh().await)]
async fn returns_a_result() -> Option<u8> {
    None
}

async fn listener(_: &steadfast::RetryEvent<'_, Option<u8>>) {}

#[retry(on_retry = listener)]
async fn an_async_fn() -> Option<u8> {
    None
}

fn main() {}
