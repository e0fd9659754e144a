use steadfast::batched;

#[batched(max_batch = 3, delay = 5)]
async fn near_miss(ids: Vec<u32>) -> Vec<u32> {
    ids
}

#[batched(max_batch_size = 0)]
async fn zero(ids: Vec<u32>) -> Vec<u32> {
    ids
}

#[batched]
#[batched]
async fn twice(ids: Vec<u32>) -> Vec<u32> {
    ids
}

#[batched]
fn plain(ids: Vec<u32>) -> Vec<u32> {
    ids
}

fn main() {}
