//! The page in a headless browser: the numbers change under load, and the buttons work.

#[path = "../support/mod.rs"]
mod support;
mod webdriver;

use std::io::{BufRead, BufReader, Write, stderr};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use operator::{load, shop};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::webdriver::Session;

/// Far more than anything here takes, also where the machine is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser, and the program that drives it; both end with this, also by a panic.
struct Browser {
    driver: Child,
    url: String,
    profile: TempDir,
}

impl Browser {
    /// `None`: there is none here.
    fn start() -> Option<Self> {
        let spawned = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut driver = match spawned {
            Ok(driver) => driver,
            Err(error) => {
                // Not by `eprintln!`, which the test harness keeps to itself.
                let mut unheard = stderr();
                writeln!(unheard, "skipped: the operator's page in a browser, for there is no `chromedriver`: {error}").unwrap();
                return None;
            }
        };
        // "ChromeDriver was started successfully on port 36133."
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse::<u16>().ok());
        let port = port.expect("chromedriver says where it listens");
        // Whatever else it says must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { driver, url: format!("http://127.0.0.1:{port}"), profile: TempDir::new().unwrap() })
    }

    async fn open(&self, url: &str) -> Page {
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &profile,
        ];
        let session = Session::start(&self.url, &arguments).await;
        session.open(url).await;
        Page(session)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // After a panic the browser still runs, in a process group of its own; its profile identifies it.
        drop(Command::new("pkill").args(["-KILL", "-f", &self.profile.path().display().to_string()]).status());
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

struct Page(Session);

impl Page {
    /// The text of what a selector finds; nothing as long as it finds nothing.
    async fn text(&self, selector: &str) -> String {
        match self.0.find("css selector", selector).await {
            Some(element) => self.0.text(&element).await,
            None => String::new(),
        }
    }

    async fn number(&self, selector: &str) -> u64 {
        self.text(selector).await.replace(',', "").parse().unwrap_or(0)
    }

    async fn click(&self, function: &str, button: &str) {
        let path = format!("//article[@data-function='operator::shop::{function}']//button[text()='{button}']");
        let button = self.0.find("xpath", &path).await.unwrap();
        self.0.click(&button).await;
    }

    async fn write(&self, selector: &str, text: &str) {
        let input = self.0.find("css selector", selector).await.unwrap();
        self.0.write(&input, text).await;
    }

    /// Waits until something holds.
    async fn until(&self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let started = Instant::now();
        // A call may wait for its permit for longer than any test.
        while !timeout(PATIENCE, holds(self)).await.is_ok_and(|holds| holds) {
            assert!(started.elapsed() < PATIENCE, "waited for `{what}` in vain: {}", self.text("body").await);
            sleep(Duration::from_millis(50)).await;
        }
    }
}

fn of(function: &str, rest: &str) -> String {
    format!("article[data-function='operator::shop::{function}'] {rest}")
}

#[tokio::test]
async fn the_numbers_move_and_the_buttons_act() {
    let Some(browser) = Browser::start() else { return };
    let (url, server) = support::serve().await;
    let page = browser.open(&format!("{url}/operator")).await;
    page.until("nothing has run", async |page| page.text("#status").await == "no function has run yet").await;

    let load = tokio::spawn(load::run(2 * PATIENCE));
    let started = of("price", "dd.started");
    page.until("calls are counted", async |page| page.number(&started).await > 20).await;
    let before = page.number(&started).await;
    page.until("the numbers move by themselves", async |page| page.number(&started).await > before).await;
    load.abort();

    let circuit = of("stock", ".now");
    page.until("the circuit is shown", async |page| page.text(&circuit).await == "closed").await;
    page.click("stock", "Force open").await;
    page.until("the circuit is open", async |page| page.text(&circuit).await == "isolated").await;
    assert_eq!(shop::stock(3).await, None);
    page.click("stock", "Reset").await;
    page.until("the circuit is closed", async |page| page.text(&circuit).await == "closed").await;
    assert_eq!(shop::stock(3).await, Some(3));

    let cache = of("price", "[data-handle='0'] .now");
    shop::price(1).await.unwrap();
    page.until("there are entries", async |page| !page.text(&cache).await.starts_with("0 entries")).await;
    page.click("price", "Clear").await;
    page.until("the cache is empty", async |page| page.text(&cache).await.starts_with("0 entries")).await;

    page.write(&of("price", "input.limit"), "9").await;
    page.click("price", "Set limit").await;
    let limit = of("price", "[data-handle='1'] .now");
    page.until("the limit is changed", async |page| page.text(&limit).await.contains("of 9 running")).await;

    page.write(&of("search", "input.calls"), "1").await;
    page.write(&of("search", "input.milliseconds"), "3600000").await;
    page.click("search", "Set rate").await;
    let rate = of("search", ".now");
    page.until("the rate is changed", async |page| page.text(&rate).await == "1 calls in 3600000 ms").await;
    // A permit that was free is still free, or is due now: the only one of this hour.
    page.until("there is a turn", async |_| shop::search("lamp").await.is_ok()).await;
    assert!(shop::search("lamp").await.unwrap_err().retry_after() > Some(Duration::from_secs(60)));

    // An invalid value is reported, long enough to be read.
    page.write(&of("search", "input.calls"), "0").await;
    page.click("search", "Set rate").await;
    page.until("the refusal is shown", async |page| page.text("#status.problem").await.contains("expected a nonzero")).await;
    page.until("and goes away", async |page| page.text("#status").await.starts_with("as of")).await;

    server.abort();
    drop(server.await);
    page.until("the server is gone", async |page| page.text("#status.problem").await == "the server does not answer").await;
    page.0.close().await;
}
