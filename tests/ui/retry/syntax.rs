use steadfast::retry;

#[retry(attempts: 3, delay(5s), jitter = Jitter::Full)]
async fn not_options() -> Option<u8> {
    None
}

#[retry(clone(user.name))]
async fn part(user: String) -> Option<String> {
    Some(user)
}

fn main() {}
