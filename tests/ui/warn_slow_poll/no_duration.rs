use steadfast::warn_slow_poll;

#[warn_slow_poll]
async fn bare() {}

#[warn_slow_poll(panic)]
async fn flag_first() {}

#[warn_slow_poll(panic, 10ms)]
async fn wrong_order() {}

fn main() {}
