use steadfast::async_cached;

#[async_cached]
async fn serve(port: u16) -> ! {
    let _ = port;
    loop {}
}

fn main() {}
