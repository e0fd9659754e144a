use steadfast::async_cached;

#[async_cached(weight = |_, _| unit, skip(unit))]
async fn user(id: u64, unit: u32) -> u64 {
    id
}

fn main() {}
