use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use steadfast::batched;

struct Db;

#[batched(share(db))]
async fn no_arc(db: u32, ids: Vec<u32>) -> Vec<u32> {
    drop(db);
    ids
}

#[batched(share(db))]
async fn rc(db: Rc<Db>, ids: Vec<u32>) -> Vec<u32> {
    drop(db);
    ids
}

impl Db {
    #[batched(share(self))]
    async fn by_value(self, ids: Vec<u32>) -> Vec<u32> {
        drop(self);
        ids
    }
}

#[batched(share(db))]
async fn not_sync(db: Arc<Cell<u32>>, ids: Vec<u32>) -> Vec<u32> {
    drop(db);
    ids
}

fn main() {}
