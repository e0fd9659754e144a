use std::rc::Rc;

use steadfast::async_cached;

#[async_cached(shared_error = |error| *error)]
async fn no_result(id: u64) -> Option<u64> {
    Some(id)
}

#[async_cached(shared_error = |error| Rc::clone(error))]
async fn not_send(id: u64) -> Result<u64, Rc<u64>> {
    Ok(id)
}

#[async_cached(shared_error = |error| error.to_string(), store_if = |value| *value)]
async fn wrong_types(id: u64) -> Result<u64, std::io::Error> {
    Ok(id)
}

fn main() {}
