use steadfast::retry;

#[retry(clone(nam))]
async fn unknown(name: String) -> Option<String> {
    Some(name)
}

#[retry(clone(x))]
async fn no_arguments() -> Option<String> {
    None
}

fn main() {}
