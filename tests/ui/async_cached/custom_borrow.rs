use steadfast::async_cached;

#[derive(PartialEq, Eq, Hash)]
struct Name(str);

#[async_cached]
async fn greet(name: &Name) -> String {
    format!("hello {}", &name.0)
}

fn main() {}
