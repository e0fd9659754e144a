use steadfast::batched;

#[batched]
async fn none() -> Vec<u32> {
    Vec::new()
}

#[batched]
async fn two(ids: Vec<u32>, verbose: bool) -> Vec<u32> {
    ids
}

#[batched]
async fn one_key(id: u32) -> Vec<u32> {
    vec![id]
}

#[batched]
async fn borrowed(names: Vec<&str>) -> Vec<usize> {
    names.iter().map(|name| name.len()).collect()
}

#[batched]
async fn unnamed(_: Vec<impl Copy>) -> Vec<u32> {
    Vec::new()
}

struct Repository;

impl Repository {
    #[batched]
    async fn method(&self, ids: Vec<u32>) -> Vec<u32> {
        ids
    }
}

fn main() {}
