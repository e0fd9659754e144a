//! The six commands of the WebDriver protocol that these tests use. A client library would add fifty crates to the build.

use reqwest::{Client, Method};
use serde_json::{Value, json};

/// The key of an element's id in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one page. [`close`](Self::close) closes it, as does the end of its driver.
pub struct Session {
    client: Client,
    url: String,
}

impl Session {
    /// Starts Chrome with these arguments, through the driver at a URL.
    pub async fn start(driver: &str, arguments: &[&str]) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        let options = json!({ "browserName": "chrome", "goog:chromeOptions": { "args": arguments } });
        let capabilities = json!({ "capabilities": { "alwaysMatch": options } });
        let starting = Self { client, url: format!("{driver}/session") };
        let started = starting.command(Method::POST, "", &capabilities).await.unwrap();
        let id = started["sessionId"].as_str().unwrap();
        Self { url: format!("{driver}/session/{id}"), ..starting }
    }

    pub async fn open(&self, url: &str) {
        self.command(Method::POST, "/url", &json!({ "url": url })).await.unwrap();
    }

    /// The id of the first element that a selector finds, which is a `css selector` or an `xpath`.
    pub async fn find(&self, kind: &str, selector: &str) -> Option<String> {
        let found = self.command(Method::POST, "/element", &json!({ "using": kind, "value": selector })).await.ok()?;
        Some(found[ELEMENT].as_str().unwrap().to_owned())
    }

    pub async fn text(&self, element: &str) -> String {
        let text = self.command(Method::GET, &format!("/element/{element}/text"), &Value::Null).await.unwrap();
        text.as_str().unwrap().to_owned()
    }

    pub async fn click(&self, element: &str) {
        self.command(Method::POST, &format!("/element/{element}/click"), &json!({})).await.unwrap();
    }

    /// Replaces the text of an input.
    pub async fn write(&self, element: &str, text: &str) {
        self.command(Method::POST, &format!("/element/{element}/clear"), &json!({})).await.unwrap();
        self.command(Method::POST, &format!("/element/{element}/value"), &json!({ "text": text })).await.unwrap();
    }

    pub async fn close(&self) {
        self.command(Method::DELETE, "", &Value::Null).await.unwrap();
    }

    /// The `value` of the response; for an error, it is the description.
    async fn command(&self, method: Method, path: &str, body: &Value) -> Result<Value, Value> {
        let request = self.client.request(method, format!("{}{path}", self.url));
        let request = if body.is_null() { request } else { request.json(body) };
        let response = request.send().await.unwrap();
        let succeeded = response.status().is_success();
        let value = response.json::<Value>().await.unwrap()["value"].take();
        if succeeded { Ok(value) } else { Err(value) }
    }
}
