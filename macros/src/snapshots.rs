//! Expansions as files, for readers. `UPDATE_EXPECT=1 cargo test -p steadfast-macros` rewrites them.

use expect_test::{ExpectFile, expect_file};
use proc_macro2::TokenStream;
use quote::quote;

fn check(name: &str, arguments: TokenStream, item: &TokenStream, expected: &ExpectFile) {
    let expanded = crate::expand::attribute(crate::ATTRIBUTES, name, arguments, item);
    let file = syn::parse2(expanded).expect("an expansion is a list of items");
    expected.assert_eq(&prettyplease::unparse(&file));
}

#[test]
fn a_stack_of_all_four() {
    check(
        "async_cached",
        quote!(ttl = 60s, skip(db), handle = user_cache),
        &quote! {
            #[timeout(2s)]
            #[tracing::instrument]
            #[retry(attempts = 3, delay = 50ms, when = |e| e.is_transient())]
            #[timeout(500ms)]
            #[offload_blocking(limit = 4)]
            fn user(db: Db, id: UserId) -> Result<User, AppError> {
                db.fetch(id)
            }
        },
        &expect_file!["../snapshots/stack_of_four.rs"],
    );
}

#[test]
fn the_policies() {
    check(
        "fallback",
        quote!(|error| degraded(error)),
        &quote! {
            #[rate_limit(100 / 1s, max_wait = 50ms)]
            #[concurrency_limit(8, queue = 100)]
            #[circuit_breaker(PAYMENTS)]
            #[retry]
            #[hedge(after = p95)]
            async fn charge(account: &Account, cents: u64) -> Result<Receipt, AppError> {
                account.charge(cents).await
            }
        },
        &expect_file!["../snapshots/policies.rs"],
    );
}

#[test]
fn timeout() {
    check(
        "timeout",
        quote!(2s, or_else = |error| error.to_string()),
        &quote! {
            /// Documented.
            pub async fn greeting(&self, name: &str, mut count: u32) -> String {
                count += 1;
                self.greet(name, count).await
            }
        },
        &expect_file!["../snapshots/timeout.rs"],
    );
}

#[test]
fn cached_with_the_body_pinned_before_the_wait() {
    check(
        "async_cached",
        quote!(),
        &quote! {
            #[timeout(patience)]
            async fn read(path: PathBuf, patience: Duration) -> io::Result<String> {
                tokio::fs::read_to_string(path).await
            }
        },
        &expect_file!["../snapshots/cached.rs"],
    );
}

#[test]
fn a_boxed_future_as_async_trait_writes_it() {
    check(
        "retry",
        quote!(clone(name)),
        &quote! {
            fn find<'a>(&'a self, name: String) -> Pin<Box<dyn Future<Output = Option<u8>> + Send + 'a>> {
                Box::pin(async move { self.look_up(name).await })
            }
        },
        &expect_file!["../snapshots/boxed.rs"],
    );
}

/// `#[timeout(1s)] #[apply(set)]`, as the set calls back.
#[test]
fn a_set() {
    let expanded = crate::apply::function(
        crate::ATTRIBUTES,
        quote! {
            { #[retry(attempts = 3)] #[timeout(500ms)] }
            (crate::sets::warehouse)
            { #[timeout(2s)] }
            { async fn stock(id: u64) -> Result<u32, AppError> { client().stock(id).await } }
        },
    );
    let file = syn::parse2(expanded).expect("an expansion is a list of items");
    expect_file!["../snapshots/set.rs"].assert_eq(&prettyplease::unparse(&file));
}

#[test]
fn run() {
    let expanded = crate::run::run(
        crate::ATTRIBUTES,
        &quote! {
            #[timeout(2s)]
            #[retry(attempts = 3)]
            #[circuit_breaker(WAREHOUSE)]
            async { client.stock(id).await }
        },
    );
    let file = syn::parse2(quote!(fn caller() { let left = #expanded; })).expect("an expansion is an expression");
    expect_file!["../snapshots/run.rs"].assert_eq(&prettyplease::unparse(&file));
}
