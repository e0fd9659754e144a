use steadfast::fallback;

#[fallback(1)]
async fn serve() -> ! {
    std::future::pending().await
}

fn main() {}
