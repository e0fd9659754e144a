use steadfast::async_cached;

#[async_cached]
async fn area(radius: f64) -> u64 {
    radius as u64
}

#[async_cached]
async fn inside(point: (f32, f32), corners: &[f64]) -> u64 {
    point.0 as u64 + corners.len() as u64
}

fn main() {}
