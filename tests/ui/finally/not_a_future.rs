use steadfast::finally;

fn unlock() {}

#[finally(unlock())]
async fn work() {}

fn main() {}
