use steadfast::concurrency_limit;

#[concurrency_limit(8)]
async fn cannot_carry() -> u16 {
    200
}

fn main() {}
