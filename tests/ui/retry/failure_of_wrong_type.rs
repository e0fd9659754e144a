use steadfast::retry;

#[retry(failure = |status| status)]
async fn not_a_bool() -> u16 {
    200
}

#[retry(failure = 500)]
async fn not_a_closure() -> u16 {
    200
}

fn main() {}
