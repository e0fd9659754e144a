use std::rc::Rc;
use steadfast::async_cached;

#[async_cached]
async fn user(name: Rc<u64>) -> u64 {
    *name
}

fn main() {}
