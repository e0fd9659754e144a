use steadfast::fallback;

#[fallback(1)]
async fn cannot_fail() -> u16 {
    200
}

fn main() {}
