use steadfast::shield;

#[shield]
async fn first_word(text: &str) -> Option<&str> {
    text.split(' ').next()
}

fn main() {}
