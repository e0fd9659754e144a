use steadfast::{Error, run};

async fn stock(id: String) -> Result<usize, Error> {
    Ok(id.len())
}

async fn retried(id: String) -> Result<usize, Error> {
    run! { #[retry] async move { stock(id).await } }.await
}

async fn borrowed(id: &str) -> Result<usize, Error> {
    run! { #[shield] async { Ok(id.len()) } }.await
}

async fn race(mut ids: Vec<u32>) -> Result<usize, Error> {
    run! { #[hedge(after = 1s)] async { ids.push(1); Ok(ids.len()) } }.await
}

fn main() {}
