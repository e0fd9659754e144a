use steadfast::shield;

struct Db;

impl Db {
    #[shield]
    async fn write(&self, _text: &str) {}
}

#[shield]
async fn insert(_db: &Db, _rows: &mut Vec<u32>) {}

fn main() {}
