use steadfast::invalidates;

static USERS: u64 = 7;

#[invalidates(USERS, key = id)]
async fn number(id: u64) {}

#[invalidates(missing(), all)]
async fn misspelt() {}

fn main() {}
