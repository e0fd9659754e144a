use steadfast::rate_limit;

#[rate_limit(10 / 1s)]
async fn serve() -> ! {
    std::future::pending().await
}

fn main() {}
