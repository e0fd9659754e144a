use steadfast::warn_slow_poll;

#[warn_slow_poll(10ms, panics)]
async fn near_miss() {}

#[warn_slow_poll(10ms, panic = true)]
async fn flag_with_value() {}

#[warn_slow_poll(10ms, or_else = |_| ())]
async fn nothing_to_refuse() {}

#[warn_slow_poll(10ms)]
#[warn_slow_poll(20ms)]
async fn twice() {}

#[warn_slow_poll(10ms)]
fn plain() {}

fn main() {}
