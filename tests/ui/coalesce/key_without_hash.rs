use steadfast::coalesce;

#[derive(Clone, PartialEq, Eq)]
struct Id(u64);

#[coalesce]
async fn user(id: Id) -> u64 {
    id.0
}

fn main() {}
