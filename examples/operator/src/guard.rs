//! Admission: only requests to this server's names, and only actions of its own page.
//!
//! A page on any site can make a browser send requests to `127.0.0.1`. Those of a form or of a script on it carry the `Origin` of that
//! site. With DNS rebinding (the name of the site temporarily resolves to 127.0.0.1), the browser considers this server part of the site, and
//! lets the site read the responses, too; but then the `Host` is the name of the site, and not one of this server.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

/// The names under which the operator's part is reached: those of loopback always, and those that are configured.
#[derive(Debug, Clone, Default)]
pub struct Hosts(Arc<[String]>);

impl Hosts {
    /// Besides loopback, these names, without ports. In capitals or not makes no difference.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().collect())
    }

    fn know(&self, authority: &Authority) -> bool {
        let host = authority.host();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|address: IpAddr| address.is_loopback())
            || self.0.iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// Lets a request through, or says 403.
pub async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Result<Response, (StatusCode, &'static str)> {
    // HTTP/2 has the name in the URI.
    let host = request.uri().authority().cloned().or_else(|| parse(request.headers(), HOST.as_str()));
    let Some(host) = host.filter(|host| hosts.know(host)) else {
        return Err((StatusCode::FORBIDDEN, "this host is not one that operators use: add it to `OPERATOR_HOSTS`"));
    };
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if !reads && !is_ours(request.headers(), &host) {
        return Err((StatusCode::FORBIDDEN, "an action of another site's page"));
    }
    Ok(next.run(request).await)
}

/// Whether a request that changes something comes from our own page, or from no page at all: every browser says where it comes from.
fn is_ours(headers: &HeaderMap, host: &Authority) -> bool {
    let site = headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none");
    let origin = headers.get(ORIGIN).is_none_or(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host.as_str()))
    });
    site && origin
}

/// The one value of a header. A request with two says nothing that could be relied on.
fn parse(headers: &HeaderMap, name: &str) -> Option<Authority> {
    let mut values = headers.get_all(name).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    value.to_str().ok()?.parse().ok()
}
