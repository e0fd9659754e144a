use steadfast::timeout;

#[timeout(5)]
pub async fn fetch(id: u64) -> Option<u64> {
    Some(id)
}

// Nothing but the attribute is wrong: whoever calls the function gets no error.
pub async fn caller() -> Option<u64> {
    fetch(1).await
}

fn main() {}
