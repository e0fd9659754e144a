use steadfast::{retry, timeout};

struct Request;

async fn send(_: Request) -> std::io::Result<()> {
    Ok(())
}

#[timeout(5s)]
#[retry]
async fn twice(request: Request) -> std::io::Result<()> {
    send(request).await
}

/// Not an argument of a call.
#[timeout(5s)]
#[retry]
async fn matched(name: String) -> std::io::Result<usize> {
    let kept = name;
    Ok(kept.len())
}

fn main() {}
