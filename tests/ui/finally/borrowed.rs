use steadfast::finally;

struct Db;

impl Db {
    async fn close(&self) {}

    #[finally(self.close())]
    async fn work(&self) {}
}

#[finally(db.close())]
async fn with_a_borrow(db: &Db) {
    db.close().await;
}

fn main() {}
