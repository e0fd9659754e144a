use steadfast::rate_limit;

#[rate_limit(10 / 1s, burst = 2, burst = 3)]
async fn twice() -> Option<u8> {
    None
}

fn main() {}
