use steadfast::async_cached;

#[async_cached]
async fn show<T: ToString>(value: T) -> String {
    value.to_string()
}

#[async_cached]
async fn anonymous(value: impl ToString) -> String {
    value.to_string()
}

fn main() {}
