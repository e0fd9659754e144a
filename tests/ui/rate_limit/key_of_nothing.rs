use steadfast::rate_limit;

#[rate_limit(10 / 1s, key = "customer")]
async fn literal(customer: &str) -> Option<usize> {
    Some(customer.len())
}

#[rate_limit(10 / 1s, key = |customer| customer)]
async fn closure(customer: &'static str) -> Option<usize> {
    Some(customer.len())
}

fn main() {}
