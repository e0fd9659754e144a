//! Events, as a subscriber sees them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use steadfast::{retry, timeout};
use tracing::Level;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_and_retries_are_told_with_the_functions_name_and_never_the_arguments() {
    #[timeout(1s)]
    #[retry(attempts = 2, delay = 10ms, jitter = none)]
    async fn charge(card: &str) -> Result<(), io::Error> {
        if card.len() > 5 { Err(io::Error::other("declined")) } else { std::future::pending().await }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(Level::DEBUG).without_time().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    assert!(charge("4111-1111").await.is_err());
    assert!(charge("4000").await.is_err());
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("DEBUG steadfast: an attempt failed, and another follows function=\"charge\" attempt=1 delay=10ms"), "{text}");
    assert!(text.contains("WARN steadfast: `charge` timed out after 1s function=\"charge\" kind=\"timeout\""), "{text}");
    assert!(!text.contains("4111") && !text.contains("4000"), "{text}");
}
