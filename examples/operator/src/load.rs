//! A load of customers, so that the metrics change.

use std::time::Duration;

use tokio::time::{Instant, interval};

use crate::shop;

/// Generates load for this long: a hundred customers per second, each on a task of its own.
pub async fn run(time: Duration) {
    let (started, mut ticks) = (Instant::now(), interval(Duration::from_millis(10)));
    for number in 0_u32.. {
        ticks.tick().await;
        if started.elapsed() > time {
            break;
        }
        tokio::spawn(customer(number));
    }
}

/// Looks at one article. What is refused is counted, and a customer goes on without it.
async fn customer(number: u32) {
    let article = number.wrapping_mul(7) % 40;
    let (_price, _stock, _found) = tokio::join!(shop::price(article), shop::stock(article), shop::search("lamp"));
}
