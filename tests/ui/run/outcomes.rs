use steadfast::run;

async fn count() -> u32 {
    1
}

async fn text() -> Result<u32, String> {
    Ok(1)
}

async fn caller() {
    run! { #[timeout(2s)] count() }.await;
    let _ = run! { #[timeout(2s)] text() }.await;
    run! { #[retry] count() }.await;
    let _ = run! { #[timeout(2s)] async { let id: u32 = "3".parse()?; Ok(id) } }.await;
}

fn main() {}
