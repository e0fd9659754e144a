use steadfast::retry;

#[retry]
async fn serve() -> ! {
    loop {}
}

fn main() {}
