use steadfast::retry;

#[retry(on_retry = println!("again"))]
async fn not_a_closure() -> Option<u8> {
    None
}

#[retry(on_retry = || println!("again"))]
async fn no_argument() -> Option<u8> {
    None
}

fn main() {}
