use steadfast::run;

async fn caller() {
    let _ = run! { #[timeout(2s)] async { let id: u32 = "3".parse()?; Ok(id) } }.await;
}

fn main() {}
