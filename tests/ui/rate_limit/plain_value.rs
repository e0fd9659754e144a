use steadfast::rate_limit;

#[rate_limit(10 / 1s)]
async fn cannot_carry() -> u16 {
    200
}

fn main() {}
