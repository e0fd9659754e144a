use steadfast::cancellable;
use tokio_util::sync::CancellationToken;

#[cancellable(token = token)]
async fn count(token: &CancellationToken) -> u64 {
    0
}

#[cancellable(token = token)]
async fn nothing(token: &CancellationToken) {}

fn main() {}
