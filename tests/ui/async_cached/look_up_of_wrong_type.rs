use steadfast::async_cached;

#[async_cached(handle = users)]
async fn user(id: u64, region: &str) -> String {
    format!("{region}{id}")
}

fn main() {
    users().invalidate(&7_u64);
    users().insert(7, String::new());
}
