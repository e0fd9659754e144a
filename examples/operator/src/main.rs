//! See the library beside this file.

use std::time::Duration;

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let router = operator::router(operator::record());
    if std::env::args().any(|argument| argument == "--load") {
        tokio::spawn(operator::load::run(Duration::from_secs(600)));
    }
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("http://{}/operator", listener.local_addr()?);
    axum::serve(listener, router).await
}
