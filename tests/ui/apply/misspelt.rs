use steadfast::{apply, policies};

policies! {
    warehouse = { #[timeout(2s)] };
}

#[apply(warehuose)]
async fn stock(id: u32) -> Result<u32, steadfast::Error> {
    Ok(id)
}

async fn caller() -> Result<u32, steadfast::Error> {
    stock(3).await
}

fn main() {}
