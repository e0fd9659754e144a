use steadfast::rate_limit;

#[rate_limit(10 / 1s, cost = name)]
async fn cost_of_text(name: &str) -> Option<usize> {
    Some(name.len())
}

#[rate_limit(10 / 1s, key = user, rate = user)]
async fn rate_of_a_number(user: u32) -> Option<u32> {
    Some(user)
}

#[rate_limit(10 / 1s, key = user, rate = (user, 5))]
async fn rate_of_two_numbers(user: u32) -> Option<u32> {
    Some(user)
}

fn main() {}
