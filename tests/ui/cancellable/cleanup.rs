use steadfast::cancellable;
use tokio_util::sync::CancellationToken;

#[cancellable(token = token, cleanup = tidy())]
async fn no_future(token: &CancellationToken) -> Option<u8> {
    None
}

#[cancellable(token = token, cleanup = async { 7 })]
async fn no_error(token: &CancellationToken) -> Option<u8> {
    None
}

#[cancellable(token = token, cleanup = send(name))]
async fn moved(name: String, token: &CancellationToken) -> Option<u8> {
    drop(name);
    None
}

fn tidy() {}

async fn send(_: String) {}

fn main() {}
