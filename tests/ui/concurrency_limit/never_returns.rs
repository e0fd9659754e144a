use steadfast::concurrency_limit;

#[concurrency_limit(8)]
async fn serve() -> ! {
    std::future::pending().await
}

fn main() {}
