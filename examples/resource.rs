//! Context managers and resource management: a session that is closed properly, however its work ends.
//!
//! `cargo run --example resource`

use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use steadfast::{drain, timeout, with_resource};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A session with a server that expects a goodbye.
struct Session {
    stream: BufReader<TcpStream>,
}

impl Session {
    async fn open(server: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: BufReader::new(TcpStream::connect(server).await?) })
    }

    async fn ask(&mut self, question: &str) -> io::Result<String> {
        self.stream.write_all(format!("{question}\n").as_bytes()).await?;
        let mut answer = String::new();
        self.stream.read_line(&mut answer).await?;
        match answer.trim_end() {
            "?" => Err(io::Error::other("the server does not understand")),
            answer => Ok(answer.to_owned()),
        }
    }

    async fn close(mut self, why: &str) -> io::Result<()> {
        self.stream.write_all(format!("bye {why}\n").as_bytes()).await?;
        self.stream.shutdown().await
    }
}

/// `async with session(server) as s: return await s.ask(question)`
async fn ask(server: SocketAddr, question: &str) -> io::Result<String> {
    with_resource(
        Session::open(server),
        async |session| session.ask(question).await,
        async |session, exit| session.close(&format!("{exit:?}")).await,
    )
    .await
}

#[timeout(300ms)]
async fn ask_in_a_hurry(server: SocketAddr, question: &str) -> io::Result<String> {
    ask(server, question).await
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let (server, mut goodbyes) = start_server().await?;
    let mut goodbye = async || goodbyes.recv().await.unwrap_or_default();

    let answer = ask(server, "ping").await?;
    println!("response {answer}; the server received: {}", goodbye().await);
    assert_eq!(answer, "pong");

    let error = ask(server, "nonsense").await.unwrap_err();
    let last_words = goodbye().await;
    println!("failed: {error}; the server received: {last_words}");
    assert_eq!(last_words, "bye Err");

    // The deadline ends the request, not the goodbye, which continues in the background.
    let error = ask_in_a_hurry(server, "slow").await.unwrap_err();
    let last_words = goodbye().await;
    println!("failed: {error}; the server received: {last_words}");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(last_words, "bye Cancelled");

    // A panic is resumed once the session is closed.
    let work = with_resource(
        Session::open(server),
        async |_session| -> io::Result<()> { panic!("a bug in the work") },
        async |session, exit| session.close(&format!("{exit:?}")).await,
    );
    assert!(AssertUnwindSafe(work).catch_unwind().await.is_err());
    let last_words = goodbye().await;
    println!("panicked; the server received: {last_words}");
    assert_eq!(last_words, "bye Panicked");

    // At the end of a program: wait for the background work.
    assert!(drain(Duration::from_secs(5)).await.is_complete());
    Ok(())
}

/// Responds to requests, and passes on how each session ended.
async fn start_server() -> io::Result<(SocketAddr, mpsc::UnboundedReceiver<String>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (goodbyes, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let goodbyes = goodbyes.clone();
            tokio::spawn(async move {
                let last_words = serve(stream).await.unwrap_or_else(|error| format!("broke off: {error}"));
                drop(goodbyes.send(last_words));
            });
        }
    });
    Ok((address, received))
}

async fn serve(stream: TcpStream) -> io::Result<String> {
    let (questions, mut answers) = stream.into_split();
    let mut questions = BufReader::new(questions).lines();
    while let Some(question) = questions.next_line().await? {
        match question.as_str() {
            "ping" => answers.write_all(b"pong\n").await?,
            "slow" => {} // never responds
            bye if bye.starts_with("bye") => return Ok(question),
            _ => answers.write_all(b"?\n").await?,
        }
    }
    Ok("hung up without a word".to_owned())
}
