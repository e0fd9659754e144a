use steadfast::coalesce;

struct User;

#[coalesce]
async fn user(id: u64) -> Option<User> {
    (id > 0).then_some(User)
}

fn main() {}
