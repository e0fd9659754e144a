use std::rc::Rc;
use steadfast::async_cached;

#[async_cached]
async fn shared(id: u64) -> Rc<u64> {
    Rc::new(id)
}

fn main() {}
