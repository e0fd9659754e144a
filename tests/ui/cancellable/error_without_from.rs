use steadfast::cancellable;
use tokio_util::sync::CancellationToken;

struct Failure;

#[cancellable(token = token)]
async fn fetch(token: &CancellationToken) -> Result<u8, Failure> {
    Err(Failure)
}

fn main() {}
