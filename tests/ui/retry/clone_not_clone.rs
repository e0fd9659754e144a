use steadfast::{offload_blocking, retry};

struct Token;

#[retry(clone(token))]
async fn named(token: Token) -> Option<Token> {
    Some(token)
}

#[retry]
#[offload_blocking]
fn offloaded(token: Token) -> Option<Token> {
    Some(token)
}

fn main() {}
