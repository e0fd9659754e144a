//! The HTTP interface, as a program of an operator uses it.

mod support;

use std::time::Duration;

use operator::shop;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use steadfast::timeout;

/// An operator, and where the service is.
struct Operator {
    client: Client,
    url: String,
}

impl Operator {
    async fn new() -> Self {
        Self { client: Client::new(), url: support::serve().await.0 }
    }

    /// What there is to see of a function of the shop.
    async fn function(&self, name: &str) -> Value {
        let path = format!("operator::shop::{name}");
        let functions: Value =
            self.client.get(format!("{}/operator/functions", self.url)).send().await.unwrap().json().await.unwrap();
        functions
            .as_array()
            .unwrap()
            .iter()
            .find(|function| function["path"] == path)
            .cloned()
            .unwrap_or_else(|| panic!("{functions}"))
    }

    async fn act(&self, request: &Value) -> StatusCode {
        self.client.post(format!("{}/operator/actions", self.url)).json(request).send().await.unwrap().status()
    }

    async fn figures(&self) -> String {
        self.client.get(format!("{}/metrics", self.url)).send().await.unwrap().text().await.unwrap()
    }
}

#[tokio::test]
async fn a_cache_and_a_limit() {
    let operator = Operator::new().await;
    for article in [1, 2, 1] {
        shop::price(article).await.unwrap();
    }
    let price = operator.function("price").await;
    assert!(price["place"].as_str().unwrap().contains("src/shop.rs:"), "{price}");
    assert_eq!(price["policies"][1], json!({ "attribute": "concurrency_limit", "settings": "4, max_wait = 200ms" }));
    assert_eq!((&price["calls"]["started"], &price["calls"]["ok"]), (&json!(3), &json!(3)));
    let cache = &price["handles"][0];
    assert_eq!((&cache["kind"], &cache["entries"], &cache["hits"]), (&json!("cache"), &json!(2), &json!(1)));

    assert_eq!(operator.act(&json!({ "function": "shop::price", "handle": 0, "action": "clear" })).await, StatusCode::NO_CONTENT);
    assert_eq!(operator.function("price").await["handles"][0]["entries"], 0);

    let limit = |limit: Value| json!({ "function": "shop::price", "handle": 1, "action": "set_limit", "limit": limit });
    assert_eq!(operator.act(&limit(json!(0))).await, StatusCode::NO_CONTENT);
    assert_eq!(operator.function("price").await["handles"][1]["limit"], 0);
    assert!(shop::price(7).await.unwrap_err().is_saturated());
    assert_eq!(operator.act(&limit(json!(4))).await, StatusCode::NO_CONTENT);
    assert_eq!(shop::price(7).await.unwrap(), 700);

    let figures = operator.figures().await;
    for line in [
        r#"steadfast_cache_requests_total{function="price",module="operator::shop",name="",result="hit"} 1"#,
        r#"steadfast_cache_entries{function="price",module="operator::shop",name=""} 1"#,
        r#"steadfast_rejections_total{function="price",module="operator::shop",kind="saturated"} 1"#,
        r#"steadfast_concurrency{function="price",module="operator::shop",name="",state="limit"} 4"#,
    ] {
        assert!(figures.lines().any(|figure| figure == line), "{line} in {figures}");
    }
}

#[tokio::test]
async fn a_circuit() {
    let operator = Operator::new().await;
    let turn = |action: &str| json!({ "function": "operator::shop::stock", "handle": 0, "action": action });
    assert_eq!(shop::stock(3).await, Some(3));
    assert_eq!(operator.act(&turn("force_open")).await, StatusCode::NO_CONTENT);
    assert_eq!(operator.function("stock").await["handles"], json!([{ "kind": "circuit_breaker", "state": "isolated" }]));
    assert_eq!(shop::stock(3).await, None);
    assert!(operator.figures().await.contains(r#"steadfast_circuit_state{function="stock",module="operator::shop",name=""} 3"#));
    assert_eq!(operator.act(&turn("reset")).await, StatusCode::NO_CONTENT);
    assert_eq!(shop::stock(3).await, Some(3));
}

#[timeout(1min)] // a call may wait for its turn, and here that is an hour
#[tokio::test]
async fn a_rate() -> Result<(), steadfast::Error> {
    let operator = Operator::new().await;
    shop::search("lamp").await.unwrap();
    let rate =
        |count: u32| json!({ "function": "search", "handle": 0, "action": "set_rate", "count": count, "period_ms": 3_600_000 });
    assert_eq!(operator.act(&rate(1)).await, StatusCode::NO_CONTENT);
    let limiter = &operator.function("search").await["handles"][0];
    assert_eq!((&limiter["count"], &limiter["period_ms"]), (&json!(1), &json!(3_600_000)));
    // A turn that was free is free still: the one of this hour.
    let _ = shop::search("lamp").await;
    assert!(shop::search("lamp").await.unwrap_err().retry_after() > Some(Duration::from_secs(60)));
    assert_eq!(operator.act(&rate(0)).await, StatusCode::UNPROCESSABLE_ENTITY, "no calls in an hour are no rate");
    Ok(())
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let operator = Operator::new().await;
    shop::stock(3).await;
    let request = |function: &str, handle: u32, action: &str| json!({ "function": function, "handle": handle, "action": action });
    for (request, status) in [
        (request("shop::nothing", 0, "clear"), StatusCode::NOT_FOUND),
        (request("shop::stock", 1, "reset"), StatusCode::NOT_FOUND),
        (request("shop::stock", 0, "clear"), StatusCode::UNPROCESSABLE_ENTITY),
        (request("shop::stock", 0, "explode"), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(operator.act(&request).await, status, "{request}");
    }
    // What a form on another page could send.
    let form = operator
        .client
        .post(format!("{}/operator/actions", operator.url))
        .body(r#"{"function":"stock","handle":0,"action":"reset"}"#);
    assert_eq!(form.send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn only_to_names_of_our_own() {
    let operator = Operator::new().await;
    let port = operator.url.rsplit_once(':').unwrap().1;
    let ask = async |path: &str, host: &str| {
        let request = operator.client.get(format!("{}{path}", operator.url)).header("host", host.replace("PORT", port));
        request.send().await.unwrap().status()
    };
    for path in ["/operator", "/operator/functions", "/metrics"] {
        for host in ["127.0.0.1:PORT", "127.7.7.7", "localhost:PORT", "LocalHost", "[::1]:PORT", "ops.example", "OPS.example:8443"]
        {
            assert_eq!(ask(path, host).await, StatusCode::OK, "{path} {host}");
        }
        for host in [
            "evil.example",
            "evil.example:PORT",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "ops.example.evil",
            "",
        ] {
            assert_eq!(ask(path, host).await, StatusCode::FORBIDDEN, "{path} {host}");
        }
    }
}

#[tokio::test]
async fn no_action_for_a_page_of_another_site() {
    let operator = Operator::new().await;
    let host = operator.url.strip_prefix("http://").unwrap();
    // What is let through finds no such function.
    let act = async |headers: &[(&'static str, &str)]| {
        let request = operator.client.post(format!("{}/operator/actions", operator.url));
        let action = json!({ "function": "nothing", "handle": 0, "action": "clear" });
        let request = headers.iter().fold(request.json(&action), |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap().status()
    };
    let origin = format!("http://{host}");
    assert_eq!(act(&[]).await, StatusCode::NOT_FOUND);
    assert_eq!(act(&[("origin", &origin), ("sec-fetch-site", "same-origin")]).await, StatusCode::NOT_FOUND);
    assert_eq!(act(&[("host", "ops.example"), ("origin", "https://ops.example")]).await, StatusCode::NOT_FOUND);
    for origin in ["https://evil.example", "null", "", "http://127.0.0.1:1", host, &format!("{origin}.evil.example")] {
        assert_eq!(act(&[("origin", origin)]).await, StatusCode::FORBIDDEN, "{origin}");
    }
    assert_eq!(act(&[("sec-fetch-site", "cross-site")]).await, StatusCode::FORBIDDEN);
    assert_eq!(act(&[("host", "evil.example"), ("origin", "http://evil.example")]).await, StatusCode::FORBIDDEN);
}
