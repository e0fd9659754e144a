use steadfast::timeout;

#[timeout(5s)]
async fn serve() -> ! {
    loop {}
}

fn main() {}
