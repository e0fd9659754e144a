//! A call that nobody awaits, and a result that nobody looks at, are told with and without attributes.
#![deny(unused_must_use)]

use steadfast::{async_cached, offload_blocking, retry, timeout};

#[async_cached]
#[timeout(1s)]
#[retry]
async fn attributed() -> Result<(), std::io::Error> {
    Ok(())
}

#[offload_blocking]
fn blocking() -> Result<(), std::io::Error> {
    Ok(())
}

async fn bare() -> Result<(), std::io::Error> {
    Ok(())
}

#[timeout(1s)]
async fn inside() -> Option<()> {
    bare();
    attributed();
    Some(())
}

#[tokio::main]
async fn main() {
    attributed();
    blocking();
    bare();
    attributed().await;
    blocking().await;
    bare().await;
    inside().await;
}
