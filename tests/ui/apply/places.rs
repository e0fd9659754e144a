use steadfast::{apply, policies};

policies! {
    warehouse = { #[timeout(2s)] };
}

#[apply(warehouse)]
struct Client;

#[apply]
async fn no_name() -> Option<u32> {
    Some(1)
}

#[apply("warehouse")]
async fn text() -> Option<u32> {
    Some(1)
}

#[apply(none)]
async fn not_in_an_impl() -> Option<u32> {
    Some(1)
}

#[apply(warehouse)]
fn blocking() -> Option<u32> {
    Some(1)
}

#[apply(warehouse)]
impl Client {
    fn blocking(&self) {}
}

#[apply(warehouse)]
async fn no_error() -> u32 {
    1
}

#[steadfast::fallback(Some(1))]
#[apply(none)]
async fn not_in_an_impl_either() -> Option<u32> {
    Some(1)
}

#[apply(warehouse,)]
async fn trailing_comma() -> Option<u32> {
    Some(1)
}

policies! {
    with_retry = { #[retry] };
    offloaded = { #[offload_blocking] };
}

#[steadfast::retry]
#[apply(with_retry)]
async fn twice() -> Option<u32> {
    Some(1)
}

#[apply(offloaded, warehouse)]
fn not_the_last() -> Option<u32> {
    Some(1)
}

fn main() {
    let _ = warehouse!(3);
}
