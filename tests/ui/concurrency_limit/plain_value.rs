use steadfast::concurrency_limit;

#[concurrency_limit(8, max_wait = 1s)]
async fn cannot_carry() -> u16 {
    200
}

fn main() {}
