use steadfast::retry;

#[retry(gave_up = println!("at last"))]
async fn not_a_closure() -> Option<u8> {
    None
}

#[retry(gave_up = || println!("at last"))]
async fn no_argument() -> Option<u8> {
    None
}

fn main() {}
