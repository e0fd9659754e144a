use steadfast::retry;

#[retry(clone = name)]
async fn equals(name: String) -> Option<String> {
    Some(name)
}

#[retry(clone())]
async fn empty(name: String) -> Option<String> {
    Some(name.clone())
}

#[retry(clone)]
async fn bare(name: String) -> Option<String> {
    Some(name.clone())
}

#[retry(clone(name, name))]
async fn twice(name: String) -> Option<String> {
    Some(name)
}

#[retry(clone(&name))]
async fn expression(name: String) -> Option<String> {
    Some(name)
}

fn main() {}
