use steadfast::rate_limit;

#[derive(Clone, PartialEq)]
pub struct Customer(f64);

#[rate_limit(10 / 1s, key = customer)]
async fn not_hash(customer: Customer) -> Option<u8> {
    let _ = customer;
    None
}

#[rate_limit(10 / 1s, key = 0.5)]
async fn float() -> Option<u8> {
    None
}

fn main() {}
