use steadfast::cancellable;

#[cancellable(token = token)]
async fn number(token: u32) -> Option<u8> {
    Some(token as u8)
}

fn main() {}
