use steadfast::coalesce;

struct Users;

impl Users {
    #[coalesce]
    async fn user(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
