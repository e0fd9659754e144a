use steadfast::coalesce;

#[coalesce]
async fn run(id: u64) -> ! {
    loop {
        std::future::ready(id).await;
    }
}

fn main() {}
