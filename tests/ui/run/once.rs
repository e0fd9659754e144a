use steadfast::run;

async fn stock(id: u32) -> Result<u32, steadfast::Error> {
    Ok(id)
}

async fn caller(limit: usize) -> Result<u32, steadfast::Error> {
    run! { #[concurrency_limit(limit)] stock(1) }.await?;
    run! { #[rate_limit(limit as u32 / 1s)] stock(1) }.await?;
    run! { #[circuit_breaker(failures = limit as u32)] stock(1) }.await
}

fn main() {}
