use steadfast::circuit_breaker;

#[circuit_breaker(failures = 3)]
async fn serve() -> ! {
    std::future::pending().await
}

fn main() {}
