use steadfast::concurrency_limit;

#[concurrency_limit("eight".len() as f32)]
async fn mistaken() -> Option<u8> {
    None
}

fn main() {}
