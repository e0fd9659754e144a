use steadfast::run;

async fn stock(id: u32) -> Result<u32, steadfast::Error> {
    Ok(id)
}

async fn caller() -> Result<u32, steadfast::Error> {
    let id = 1;
    run! { #[async_cached] stock(id) }.await?;
    run! { #[async_cached(skip(id))] stock(id) }.await?;
    run! { #[coalesce] stock(id) }.await?;
    run! { #[retry(clone(id))] stock(id) }.await?;
    run! { #[circuit_breaker(handle = circuit)] stock(id) }.await?;
    run! { #[batched(max_wait = 1ms)] stock(id) }.await?;
    run! { #[timeout(2s, name = stock)] stock(id) }.await?;
    run! { #[timeout(2s, name = "a")] #[retry(name = "b")] stock(id) }.await?;
    run! { #[timout(2s)] stock(id) }.await?;
    run! { #[instrument] #[timeout(2s)] stock(id) }.await?;
    run! { #[timeout = 2] stock(id) }.await?;
    run! { #[apply(none)] #[timeout(2s)] stock(id) }.await?;
    run! { #[apply] #[timeout(2s)] stock(id) }.await?;
    run! { #[concurrency_limit(id)] stock(id) }.await
}

#[steadfast::timeout(2s, name = "load")]
async fn load() -> Option<u32> {
    None
}

fn main() {}
