use steadfast::finally;

#[finally]
async fn work() {}

#[finally(after = 5s)]
async fn with_an_option() {}

fn main() {}
