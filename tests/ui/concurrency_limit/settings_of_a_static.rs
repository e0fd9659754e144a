use steadfast::concurrency_limit;

static SHARED: steadfast::ConcurrencyLimiter = steadfast::ConcurrencyLimiter::new(10);

#[concurrency_limit(SHARED, queue = 3)]
async fn inert() -> Option<u8> {
    None
}

fn main() {}
