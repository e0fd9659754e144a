use steadfast::retry;

#[retry(attempts = 3)]
async fn send(message: String) -> Option<()> {
    drop(message);
    None
}

fn main() {}
