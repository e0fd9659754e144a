//! The example service, as its clients see it: a process, real sockets, and clients that disconnect.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::collections::HashMap;
use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::future::join_all;
use reqwest::{Client, Response};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgPool, query};
use steadfast::gather;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Each scenario is a test on a file; on a server they run one after another in one test, for they share it.
macro_rules! scenarios {
    ($($scenario:ident)*) => {
        mod on_a_file {
            $(
                #[tokio::test]
                async fn $scenario() {
                    let directory = tempfile::tempdir().unwrap();
                    let url = super::file_url(directory.path());
                    super::$scenario(super::Service::start(&url).await).await;
                }
            )*
        }

        #[tokio::test]
        async fn on_postgresql() {
            let Some(url) = env::var("DATABASE_URL").ok().filter(|url| url.starts_with("postgres")) else {
                // Not by `eprintln!`, which the test harness keeps to itself.
                writeln!(std::io::stderr(), "skipped: the service on PostgreSQL, for `DATABASE_URL` names no server").unwrap();
                return;
            };
            let schema = Schema::create(&url).await;
            $(
                println!("{}", stringify!($scenario));
                $scenario(Service::start(&schema.url).await).await;
            )*
            schema.delete().await;
        }
    };
}

scenarios! {
    users_are_kept
    reads_are_cached_and_writes_invalidate
    what_is_not_there_is_a_404
    a_slow_upstream_is_a_504_and_a_broken_one_a_502
    a_flaky_upstream_is_asked_again
    an_upstream_that_fails_is_stood_in_for_by_its_last_answer
    a_read_ends_with_its_client
    a_write_outlives_its_client
    a_shutdown_waits_for_a_write_without_a_client
    a_shutdown_answers_those_who_wait
    more_logins_than_it_can_do_are_a_503
}

async fn users_are_kept(service: Service) {
    let ada = service.add_user("ada", "secret").await;
    assert_eq!(service.user(ada.id).await.name, ada.name);

    assert_eq!(service.login(ada.id, "secret").await.status(), StatusCode::NO_CONTENT);
    assert_eq!(service.login(ada.id, "guess").await.status(), StatusCode::UNAUTHORIZED);

    let again = service.post("/users", &NewUser { name: ada.name, password: "other".to_owned() }).await;
    assert_eq!(again.status(), StatusCode::CONFLICT);
}

async fn reads_are_cached_and_writes_invalidate(service: Service) {
    let ada = service.add_user("ada", "secret").await;
    for _ in 0..3 {
        assert_eq!(service.user(ada.id).await.orders, 0);
    }
    assert_eq!((service.stats().await.loads, service.stats().await.hits), (1, 2));

    let new_name = unique("lovelace");
    let path = format!("/users/{}", ada.id);
    let renamed = service.client.put(service.url(&path)).json(&HashMap::from([("name", &new_name)])).send().await.unwrap();
    assert_eq!(renamed.status(), StatusCode::NO_CONTENT);
    assert_eq!(service.user(ada.id).await.name, new_name);

    let order = service.order(ada.id, 1).await;
    assert_eq!(order.status(), StatusCode::CREATED);
    assert_eq!(service.user(ada.id).await.orders, 1);
    assert_eq!(service.upstream.charges(), 1);
    assert_eq!(service.stats().await.loads, 3);
}

async fn what_is_not_there_is_a_404(service: Service) {
    assert_eq!(service.get("/users/987654321").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(service.get("/articles/404").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(service.get("/nonsense").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(service.login(987_654_321, "secret").await.status(), StatusCode::NOT_FOUND);
    let ada = service.add_user("ada", "secret").await;
    assert_eq!(service.order(ada.id, 404).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(service.order(987_654_321, 1).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(service.upstream.requests(404), 1, "the answer is kept");
    assert_eq!(service.upstream.charges(), 0);
}

async fn a_slow_upstream_is_a_504_and_a_broken_one_a_502(service: Service) {
    let answers = join_all([504, 500].map(|id| service.article(id))).await;
    assert_eq!(answers.iter().map(Response::status).collect::<Vec<_>>(), [StatusCode::GATEWAY_TIMEOUT, StatusCode::BAD_GATEWAY]);
    assert_eq!(service.upstream.requests(500), 3, "each attempt");
    let texts = join_all(answers.into_iter().map(Response::text)).await;
    let texts: Vec<_> = texts.into_iter().map(Result::unwrap).collect();
    assert_eq!(texts, ["it took too long", "the upstream failed"], "no names of functions, no limits");
}

async fn a_flaky_upstream_is_asked_again(service: Service) {
    let article = service.article(3).await;
    assert_eq!(article.status(), StatusCode::OK);
    assert_eq!(article.json::<Article>().await.unwrap().title, "a book");
    assert_eq!(service.upstream.requests(3), 2);
}

async fn an_upstream_that_fails_is_stood_in_for_by_its_last_answer(service: Service) {
    assert_eq!(service.article(5).await.status(), StatusCode::OK);
    sleep(Duration::from_millis(5_100)).await; // the ttl of the process's real clock
    assert_eq!(service.article(5).await.status(), StatusCode::OK);
    assert_eq!(service.upstream.requests(5), 1 + 3, "it was asked, and failed");
}

async fn a_read_ends_with_its_client(service: Service) {
    let client = service.send_raw("GET /articles/504 HTTP/1.1\r\nhost: service\r\n\r\n").await;
    service.upstream.until(|upstream| upstream.requests(504) == 1).await;
    drop(client);
    service.upstream.until(|upstream| upstream.abandoned() == 1).await;
    sleep(Duration::from_millis(600)).await; // longer than an attempt
    assert_eq!(service.upstream.requests(504), 1, "no other attempt is made");
}

async fn a_write_outlives_its_client(service: Service) {
    let ada = service.add_user("ada", "secret").await;
    let client = service.send_order(ada.id).await;
    service.upstream.until(|upstream| upstream.charges_begun() == 1).await;
    drop(client);
    assert_eq!(service.upstream.charges(), 0, "the client left in the middle");
    service.upstream.until(|upstream| upstream.charges() == 1).await;
    until(async || service.user(ada.id).await.orders == 1).await;
    assert_eq!(service.upstream.abandoned(), 0);
}

async fn a_shutdown_waits_for_a_write_without_a_client(service: Service) {
    let ada = service.add_user("ada", "secret").await;
    let client = service.send_order(ada.id).await;
    service.upstream.until(|upstream| upstream.charges_begun() == 1).await;
    drop(client);
    let service = service.restart().await;
    assert_eq!(service.upstream.charges(), 1);
    assert_eq!(service.user(ada.id).await.orders, 1);
}

async fn a_shutdown_answers_those_who_wait(service: Service) {
    let ada = service.add_user("ada", "secret").await;
    let (client, url) = (service.client.clone(), service.url(&format!("/users/{}/orders", ada.id)));
    let order = tokio::spawn(async move { client.post(url).json(&HashMap::from([("article", 1)])).send().await });
    service.upstream.until(|upstream| upstream.charges_begun() == 1).await;
    let service = service.restart().await;
    assert_eq!(order.await.unwrap().unwrap().status(), StatusCode::CREATED);
    assert_eq!(service.user(ada.id).await.orders, 1);
}

async fn more_logins_than_it_can_do_are_a_503(service: Service) {
    let ada = service.add_user("ada", "secret").await;
    let url = service.url(&format!("/users/{}/login", ada.id));
    let logins = gather((0..60).map(|_| {
        let login = service.client.post(&url).json(&HashMap::from([("password", "secret")]));
        async move { login.send().await.unwrap() }
    }))
    .await;
    let (refused, served): (Vec<_>, Vec<_>) = logins.iter().partition(|login| login.status() == StatusCode::SERVICE_UNAVAILABLE);
    assert!(!refused.is_empty() && !served.is_empty(), "{} refused, {} served", refused.len(), served.len());
    assert!(served.iter().all(|login| login.status() == StatusCode::NO_CONTENT));
    assert!(refused.iter().all(|login| login.headers()["retry-after"] == "1"));
    let texts = join_all(logins.into_iter().filter(|login| !login.status().is_success()).map(Response::text)).await;
    assert!(texts.iter().all(|text| !text.as_ref().unwrap().contains(char::is_numeric)), "no limits: {:?}", texts.first());
    // It has got over it.
    assert_eq!(service.login(ada.id, "secret").await.status(), StatusCode::NO_CONTENT);
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct User {
    id: i64,
    name: String,
    orders: i64,
}

#[derive(Debug, Serialize)]
struct NewUser {
    name: String,
    password: String,
}

#[derive(Debug, Deserialize)]
struct Created {
    id: i64,
}

#[derive(Debug, Deserialize)]
struct Stats {
    hits: u64,
    loads: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Article {
    title: String,
    price: i64,
}

/// The service, running.
struct Service {
    // Killed when it is dropped.
    process: Child,
    address: String,
    database: String,
    client: Client,
    upstream: Upstream,
}

impl Service {
    async fn start(database: &str) -> Self {
        Self::start_with(database, Upstream::start().await).await
    }

    async fn start_with(database: &str, upstream: Upstream) -> Self {
        let mut process = Command::new(binary("service"))
            .env("ADDRESS", "127.0.0.1:0")
            .env("DATABASE_URL", database)
            .env("UPSTREAM_URL", &upstream.url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("`cargo build --example service` builds it");
        let mut lines = BufReader::new(process.stdout.as_mut().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("it starts").unwrap().expect("it listens");
        let address = line.strip_prefix("listening on http://").expect("it says where").to_owned();
        Self { process, address, database: database.to_owned(), client: Client::new(), upstream }
    }

    /// Asks it to stop, waits until it has, and starts it again.
    async fn restart(mut self) -> Self {
        let pid = self.process.id().expect("it runs").to_string();
        assert!(Command::new("kill").arg(pid).status().await.unwrap().success());
        let status = timeout(PATIENCE, self.process.wait()).await.expect("it stops").unwrap();
        assert!(status.success(), "{status}");
        Self::start_with(&self.database, self.upstream).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> Response {
        self.client.post(self.url(path)).json(body).send().await.unwrap()
    }

    async fn add_user(&self, name: &str, password: &str) -> User {
        let new = NewUser { name: unique(name), password: password.to_owned() };
        let answer = self.post("/users", &new).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        User { id: answer.json::<Created>().await.unwrap().id, name: new.name, orders: 0 }
    }

    async fn user(&self, id: i64) -> User {
        self.get(&format!("/users/{id}")).await.error_for_status().unwrap().json().await.unwrap()
    }

    async fn login(&self, id: i64, password: &str) -> Response {
        self.post(&format!("/users/{id}/login"), &HashMap::from([("password", password)])).await
    }

    async fn order(&self, user: i64, article: i64) -> Response {
        self.post(&format!("/users/{user}/orders"), &HashMap::from([("article", article)])).await
    }

    async fn article(&self, id: i64) -> Response {
        self.get(&format!("/articles/{id}")).await
    }

    async fn stats(&self) -> Stats {
        self.get("/stats").await.json().await.unwrap()
    }

    /// Sends a request over a connection that the caller may cut.
    async fn send_raw(&self, request: &str) -> TcpStream {
        let mut client = TcpStream::connect(&self.address).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        client
    }

    async fn send_order(&self, user: i64) -> TcpStream {
        let body = r#"{"article":1}"#;
        let head = format!("POST /users/{user}/orders HTTP/1.1\r\nhost: service\r\ncontent-type: application/json");
        self.send_raw(&format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await
    }
}

/// What the service calls: a server of the test.
struct Upstream {
    url: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    articles: Mutex<HashMap<i64, u32>>,
    charges_begun: AtomicU32,
    charges: AtomicU32,
    abandoned: AtomicU32,
}

/// A request that is answered, or given up by the service.
struct Request<'a>(&'a Seen);

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.0.abandoned.fetch_add(1, Ordering::SeqCst);
    }
}

impl Upstream {
    async fn start() -> Self {
        let seen = Arc::new(Seen::default());
        let app = Router::new()
            .route("/articles/{id}", get(upstream_article))
            .route("/charges", post(upstream_charge))
            .with_state(Arc::clone(&seen));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen }
    }

    /// How often an article was asked for.
    fn requests(&self, article: i64) -> u32 {
        self.seen.articles.lock().unwrap().get(&article).copied().unwrap_or_default()
    }

    fn charges_begun(&self) -> u32 {
        self.seen.charges_begun.load(Ordering::SeqCst)
    }

    fn charges(&self) -> u32 {
        self.seen.charges.load(Ordering::SeqCst)
    }

    /// How many requests were given up before they were answered.
    fn abandoned(&self) -> u32 {
        self.seen.abandoned.load(Ordering::SeqCst)
    }

    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        until(async || condition(self)).await;
    }
}

async fn upstream_article(State(seen): State<Arc<Seen>>, UrlPath(id): UrlPath<i64>) -> Result<Json<Article>, StatusCode> {
    let before = {
        let mut articles = seen.articles.lock().unwrap();
        let requests = articles.entry(id).or_default();
        *requests += 1;
        *requests - 1
    };
    match (id, before) {
        (404, _) => return Err(StatusCode::NOT_FOUND),
        (3, 0) | (5, 1..) | (500, _) => return Err(StatusCode::INTERNAL_SERVER_ERROR),
        (504, _) => {
            let request = Request(&seen);
            sleep(PATIENCE).await;
            std::mem::forget(request);
        }
        _ => {}
    }
    Ok(Json(Article { title: "a book".to_owned(), price: 12 }))
}

async fn upstream_charge(State(seen): State<Arc<Seen>>, _body: String) {
    let request = Request(&seen);
    seen.charges_begun.fetch_add(1, Ordering::SeqCst);
    sleep(Duration::from_millis(500)).await; // in which the client leaves
    seen.charges.fetch_add(1, Ordering::SeqCst);
    std::mem::forget(request);
}

async fn until(condition: impl AsyncFn() -> bool) {
    let waiting = async {
        while !condition().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it comes to that");
}

/// A name that no other scenario takes.
fn unique(name: &str) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    format!("{name}-{}", now.as_nanos())
}

/// A place of its own on a server that may have other tenants.
struct Schema {
    name: String,
    url: String,
    server: PgPool,
}

impl Schema {
    async fn create(server_url: &str) -> Self {
        let server = PgPool::connect(server_url).await.expect("the server of `DATABASE_URL` is there");
        let name = format!("steadfast_{}", std::process::id());
        query(AssertSqlSafe(format!("CREATE SCHEMA {name}"))).execute(&server).await.unwrap();
        let separator = if server_url.contains('?') { '&' } else { '?' };
        let url = format!("{server_url}{separator}options[search_path]={name}");
        Self { name, url, server }
    }

    async fn delete(self) {
        query(AssertSqlSafe(format!("DROP SCHEMA {} CASCADE", self.name))).execute(&self.server).await.unwrap();
    }
}

fn file_url(directory: &Path) -> String {
    format!("sqlite://{}?mode=rwc", directory.join("service.db").display())
}

/// Where cargo puts it: `target/debug/examples`, beside the `deps` that this test is in.
fn binary(example: &str) -> PathBuf {
    let this = env::current_exe().unwrap();
    let profile = this.parent().and_then(Path::parent).unwrap();
    profile.join("examples").join(example).with_extension(env::consts::EXE_EXTENSION)
}
