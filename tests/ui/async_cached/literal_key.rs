use steadfast::{async_cached, coalesce};

#[async_cached(key = "user:{id}")]
async fn user(id: u32) -> u32 {
    id
}

#[coalesce(key = "report")]
async fn report(day: u32) -> u32 {
    day
}

fn main() {}
