use steadfast::retry;

static NUMBER: u32 = 10;

#[retry(budget = NUMBER)]
async fn not_a_budget() -> Option<u8> {
    None
}

#[retry(budget = 10)]
async fn number() -> Option<u8> {
    None
}

#[retry(budget = UNKNOWN)]
async fn unknown() -> Option<u8> {
    None
}

fn main() {}
