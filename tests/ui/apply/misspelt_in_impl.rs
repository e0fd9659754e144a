use steadfast::{apply, policies, run};

policies! {
    warehouse = { #[timeout(2s)] };
}

struct Client;

trait Stock {
    async fn stock(&self, id: u32) -> Result<u32, steadfast::Error>;
}

#[apply(warehuose)]
impl Stock for Client {
    async fn stock(&self, id: u32) -> Result<u32, steadfast::Error> {
        Ok(id)
    }
}

async fn caller() -> Result<u32, steadfast::Error> {
    run! { #[apply(warehuose)] Client.stock(3) }.await
}

fn main() {}
