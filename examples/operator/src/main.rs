//! See the library, `lib.rs`.

use std::time::Duration;

use operator::guard::Hosts;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let hosts = std::env::var("OPERATOR_HOSTS").unwrap_or_default();
    let hosts = Hosts::new(hosts.split(',').map(|host| host.trim().to_owned()).filter(|host| !host.is_empty()));
    let router = operator::router_for(operator::record(), hosts);
    if std::env::args().any(|argument| argument == "--load") {
        tokio::spawn(operator::load::run(Duration::from_secs(600)));
    }
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("http://{}/operator", listener.local_addr()?);
    axum::serve(listener, router).await
}
