use steadfast::cancellable;

#[cancellable]
async fn bare() -> Option<u8> {
    None
}

#[cancellable(cleanup = async {})]
async fn without() -> Option<u8> {
    None
}

#[cancellable(shutdown.child_token())]
async fn without_name(shutdown: tokio_util::sync::CancellationToken) -> Option<u8> {
    shutdown.is_cancelled().then_some(0)
}

#[cancellable(token)]
async fn without_value() -> Option<u8> {
    None
}

fn main() {}
