use steadfast::fallback;

#[fallback(())]
async fn nothing() {}

fn main() {}
