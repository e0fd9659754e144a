use steadfast::cancellable;

#[cancellable(tokn = token, clean = tidy())]
async fn near_miss() -> Option<u8> {
    None
}

#[cancellable(token = )]
async fn empty() -> Option<u8> {
    None
}

#[cancellable(token = TOKEN)]
#[cancellable(token = TOKEN)]
async fn twice() -> Option<u8> {
    None
}

#[cancellable(token = TOKEN)]
async fn forever() -> ! {
    std::future::pending().await
}

#[cancellable(token = TOKEN)]
fn plain() -> Option<u8> {
    None
}

fn main() {}
