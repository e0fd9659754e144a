use steadfast::async_cached;

#[async_cached(weight = 1)]
async fn number(id: u64) -> u64 {
    id
}

#[async_cached(weight = |_, user: &u64| user.to_string())]
async fn text(id: u64) -> u64 {
    id
}

#[async_cached(weight = |user| 1)]
async fn one_argument(id: u64) -> u64 {
    id
}

fn main() {}
