use steadfast::coalesce;

#[coalesce(ttl = 60s)]
async fn user(id: u64) -> u64 {
    id
}

fn main() {}
