use std::collections::{BTreeMap, HashMap};

use steadfast::batched;

#[derive(Clone)]
struct NoHash;

struct NoClone;

#[batched]
async fn key_without_hash(ids: Vec<NoHash>) -> HashMap<NoHash, u32> {
    drop(ids);
    HashMap::new()
}

#[batched]
async fn answer_without_clone(ids: Vec<u32>) -> HashMap<u32, NoClone> {
    drop(ids);
    HashMap::new()
}

#[batched]
async fn other_keys(ids: Vec<u32>) -> HashMap<String, u32> {
    drop(ids);
    HashMap::new()
}

#[batched]
async fn other_map(ids: Vec<u32>) -> BTreeMap<u32, u32> {
    drop(ids);
    BTreeMap::new()
}

struct Page;

#[batched]
async fn no_answers(ids: Vec<u32>) -> Page {
    drop(ids);
    Page
}

fn main() {}
