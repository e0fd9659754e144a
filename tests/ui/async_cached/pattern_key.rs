use steadfast::async_cached;

struct Id;

#[async_cached]
async fn second((first, _second): (Id, u64)) -> u64 {
    let _ = first;
    1
}

fn main() {}
