use steadfast::run;

async fn stock(id: u32) -> Result<u32, steadfast::Error> {
    Ok(id)
}

async fn caller() {
    run! {}.await;
    run! { #[timeout(2s)] }.await;
    run! { stock(1) }.await;
    run! { #[timeout(2s)] let left = stock(1); left }.await;
    run! { #[timeout(2s)] |id: u32| stock(id) }.await;
    run! { #[timeout(2s)] || Some(1) }.await;
    run! { #[offload_blocking] async { Some(1) } }.await;
    run! { #[timeout(2s)] 3 }.await;
}

fn main() {}
