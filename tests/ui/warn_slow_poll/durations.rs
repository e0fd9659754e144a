use steadfast::warn_slow_poll;

#[warn_slow_poll(10)]
async fn no_unit() {}

#[warn_slow_poll(0ms)]
async fn zero() {}

#[warn_slow_poll(limit)]
async fn wrong_type(limit: u32) {
    let _ = limit;
}

fn main() {}
