use steadfast::retry;

#[retry(when = |error| error.to_string())]
async fn not_a_bool() -> Result<u8, String> {
    Err(String::new())
}

#[retry(when = true)]
async fn not_a_closure() -> Result<u8, String> {
    Err(String::new())
}

#[retry(when = |error: String| error.is_empty())]
async fn by_value() -> Result<u8, String> {
    Err(String::new())
}

fn main() {}
