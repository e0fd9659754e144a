use steadfast::coalesce;

#[coalesce(skip(db))]
async fn user(id: u64) -> u64 {
    id
}

#[coalesce(key = id, skip(name))]
async fn both(id: u64, name: String) -> String {
    format!("{id}{name}")
}

fn main() {}
