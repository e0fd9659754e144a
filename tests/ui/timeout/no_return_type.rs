use steadfast::timeout;

#[timeout(5s)]
async fn send() {}

fn main() {}
