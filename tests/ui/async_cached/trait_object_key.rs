use steadfast::async_cached;

#[async_cached]
async fn show(value: &dyn ToString) -> String {
    value.to_string()
}

fn main() {}
