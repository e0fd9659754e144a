use steadfast::retry;

#[retry(clone(name))]
async fn reference(name: &str) -> Option<String> {
    Some(name.to_owned())
}

fn main() {}
