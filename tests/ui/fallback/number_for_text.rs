use steadfast::fallback;

type Reply = Result<String, std::io::Error>;

#[fallback(0)]
async fn number() -> Result<String, std::io::Error> {
    Ok(String::new())
}

#[fallback("none")]
async fn text() -> Result<String, std::io::Error> {
    Ok(String::new())
}

#[fallback(|_| "none")]
async fn text_of_a_closure() -> Option<String> {
    None
}

#[fallback("none")]
async fn of_an_alias() -> Reply {
    Ok(String::new())
}

fn main() {}
