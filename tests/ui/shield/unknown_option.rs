use steadfast::shield;

#[shield(traker = TRACKER)]
async fn write() {}

#[shield(tracker)]
async fn again() {}

fn main() {}
