use steadfast::hedge;

#[hedge(after = 5ms)]
async fn serve() -> ! {
    std::future::pending().await
}

fn main() {}
