use std::rc::Rc;

use steadfast::batched;

#[batched]
async fn option(ids: Vec<u32>) -> Option<Vec<u32>> {
    Some(ids)
}

#[batched]
async fn error_without_clone(ids: Vec<u32>) -> std::io::Result<Vec<u32>> {
    Ok(ids)
}

#[batched]
async fn key_not_send(ids: Vec<Rc<u32>>) -> Vec<u32> {
    Vec::new()
}

fn main() {}
