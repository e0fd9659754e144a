//! `#[fallback]`: what replaces a failure.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(clippy::default_trait_access, reason = "what a fallback may be written as")]

use std::cell::Cell;
use std::io;

use steadfast::{CircuitBreaker, Error, circuit_breaker, fallback, rate_limit, retry, timeout};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Failure {
    Busy,
    Policy,
}

impl From<Error> for Failure {
    fn from(_: Error) -> Self {
        Self::Policy
    }
}

/// What gives up stands in for nothing, whatever is returned.
#[tokio::test]
async fn a_fallback_may_give_up() {
    #[fallback(panic!("gave up"))]
    async fn option() -> Option<u32> {
        None
    }
    #[fallback(todo!("later"))]
    async fn nothing() -> Option<()> {
        None
    }
    #[fallback(unreachable!())]
    async fn result() -> Result<u32, Failure> {
        Err(Failure::Busy)
    }
    #[fallback(std::unimplemented!("ever"))]
    async fn unit() -> Result<(), Failure> {
        Err(Failure::Busy)
    }
    #[fallback({
        let place = "a block";
        panic!("in {place}")
    })]
    async fn block() -> Option<u32> {
        None
    }
    #[fallback({ let reason = "with a semicolon"; panic!("{reason}"); })]
    async fn statement() -> Option<u32> {
        None
    }
    #[fallback(|_| panic!("of an error"))]
    async fn closure() -> Option<u32> {
        None
    }
    #[fallback(|()| { todo!("of an error, in a block") })]
    async fn closure_of_a_block() -> Option<()> {
        None
    }
    #[fallback(std::process::exit(1))]
    async fn exits(fails: bool) -> Option<u32> {
        (!fails).then_some(1)
    }
    async fn message<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) -> String {
        let panic = tokio::spawn(call).await.err().expect("it gives up").into_panic();
        panic.downcast::<String>().map_or_else(|text| (*text.downcast::<&str>().unwrap()).to_owned(), |text| *text)
    }
    assert_eq!(message(option()).await, "gave up");
    assert_eq!(message(nothing()).await, "not yet implemented: later");
    assert_eq!(message(result()).await, "internal error: entered unreachable code");
    assert_eq!(message(unit()).await, "not implemented: ever");
    assert_eq!(message(block()).await, "in a block");
    assert_eq!(message(statement()).await, "with a semicolon");
    assert_eq!(message(closure()).await, "of an error");
    assert_eq!(message(closure_of_a_block()).await, "not yet implemented: of an error, in a block");
    assert_eq!(exits(false).await, Some(1));
}

#[tokio::test]
async fn a_value_or_an_outcome_for_results_and_options() {
    #[fallback(7)]
    async fn value(outcome: Result<u8, Failure>) -> Result<u8, Failure> {
        outcome
    }
    #[fallback(Err(io::Error::other("replaced")))]
    async fn outcome(fails: bool) -> io::Result<String> {
        if fails { Err(io::ErrorKind::NotFound.into()) } else { Ok(String::new()) }
    }
    #[fallback(vec![1])]
    async fn option(outcome: Option<Vec<u8>>) -> Option<Vec<u8>> {
        outcome
    }
    #[allow(clippy::default_trait_access, reason = "as users write it")]
    #[fallback(Default::default())]
    async fn whatever(outcome: Option<Vec<u8>>) -> Option<Vec<u8>> {
        outcome
    }
    #[fallback("none".into())]
    async fn converted(outcome: Result<Box<str>, ()>) -> Result<Box<str>, ()> {
        outcome
    }
    assert_eq!((value(Ok(1)).await, value(Err(Failure::Busy)).await), (Ok(1), Ok(7)));
    assert_eq!(
        (outcome(false).await.unwrap(), outcome(true).await.unwrap_err().to_string()),
        (String::new(), "replaced".to_owned())
    );
    assert_eq!((option(Some(vec![])).await, option(None).await), (Some(vec![]), Some(vec![1])));
    assert_eq!((whatever(None).await, converted(Err(())).await), (Some(vec![]), Ok("none".into())));
}

/// What says that it is an outcome is coerced as where it is returned; a `None` may be the value of an `Ok`.
#[tokio::test]
async fn outcomes_are_coerced_and_options_are_values() {
    #[fallback(Ok(Box::new(7)))]
    async fn boxed() -> Result<Box<dyn std::fmt::Display + Send>, Failure> {
        Err(Failure::Busy)
    }
    #[fallback(|_| Ok(&[]))]
    async fn slice(bytes: &[u8]) -> Result<&[u8], Failure> {
        if bytes.len() > 1 { Ok(bytes) } else { Err(Failure::Busy) }
    }
    #[fallback(None)]
    async fn nothing() -> Result<Option<u8>, Failure> {
        Err(Failure::Busy)
    }
    #[fallback(Some(3))]
    async fn something() -> Option<u8> {
        None
    }
    #[fallback(Ok(3))]
    async fn in_an_option() -> Option<Result<u8, Failure>> {
        None
    }
    assert_eq!(in_an_option().await, Some(Ok(3)));
    assert_eq!(boxed().await.unwrap_or_else(|_| unreachable!()).to_string(), "7");
    assert_eq!((slice(&[1]).await, slice(&[1, 2]).await), (Ok(&[][..]), Ok(&[1, 2][..])));
    assert_eq!((nothing().await, something().await), (Ok(None), Some(3)));
}

#[tokio::test]
async fn a_closure_gets_the_error_and_may_return_either() {
    #[fallback(|error| match error { Failure::Busy => Ok(default), other @ Failure::Policy => Err(other) })]
    async fn some(error: Failure, default: u8) -> Result<u8, Failure> {
        Err(error)
    }
    #[fallback(|error| format!("{error:?}"))]
    async fn all(error: Failure) -> Result<String, Failure> {
        Err(error)
    }
    #[fallback(|()| length)]
    async fn none(length: usize) -> Option<usize> {
        None
    }
    assert_eq!((some(Failure::Busy, 3).await, some(Failure::Policy, 3).await), (Ok(3), Err(Failure::Policy)));
    assert_eq!((all(Failure::Busy).await, none(4).await), (Ok("Busy".to_owned()), Some(4)));
}

#[tokio::test]
async fn evaluated_only_on_failure_and_may_await() {
    async fn backup(calls: &Cell<u32>) -> u8 {
        tokio::task::yield_now().await;
        calls.set(calls.get() + 1);
        9
    }
    #[fallback(backup(calls).await)]
    async fn primary(fails: bool, calls: &Cell<u32>) -> Option<u8> {
        (!fails).then_some(1)
    }
    #[fallback(|error| { let again = backup(calls).await; again + error })]
    async fn by_error(error: u8, calls: &Cell<u32>) -> Result<u8, u8> {
        Err(error)
    }
    #[fallback(|error| { if error == 0 { return Err(9); } Ok(error) })]
    async fn returns(error: u8) -> Result<u8, u8> {
        Err(error)
    }
    let calls = Cell::new(0);
    assert_eq!((by_error(2, &calls).await, calls.replace(0)), (Ok(11), 1));
    assert_eq!((returns(0).await, returns(1).await), (Err(9), Ok(1)));
    assert_eq!((primary(false, &calls).await, calls.get()), (Some(1), 0));
    assert_eq!((primary(true, &calls).await, calls.get()), (Some(9), 1));
}

#[tokio::test(start_paused = true)]
async fn replaces_refusals_of_everything_below() {
    static OPEN: CircuitBreaker = CircuitBreaker::new();
    #[fallback(1)]
    #[circuit_breaker(OPEN)]
    async fn refused() -> Result<u8, Failure> {
        Ok(0)
    }
    #[fallback(|error| u8::from(error.is_timeout()))]
    #[timeout(1s)]
    #[retry(attempts = 2, delay = 10s)]
    async fn late() -> Result<u8, Error> {
        std::future::pending().await
    }
    #[fallback(|error| u8::from(error.is_rate_limited()))]
    #[rate_limit(1 / 1s)]
    async fn limited() -> Result<u8, Error> {
        Ok(0)
    }
    OPEN.force_open();
    assert_eq!((refused().await, late().await, limited().await, limited().await), (Ok(1), Ok(1), Ok(0), Ok(1)));
}

#[tokio::test]
async fn below_a_policy_it_hides_failures_from_it() {
    #[retry(attempts = 3, delay = 0s)]
    #[fallback(0)]
    async fn once(runs: &Cell<u32>) -> Option<u8> {
        runs.set(runs.get() + 1);
        None
    }
    let runs = Cell::new(0);
    assert_eq!((once(&runs).await, runs.get()), (Some(0), 1));
}

#[tokio::test]
async fn never_hides_a_panic() {
    #[fallback(0)]
    async fn work() -> Option<u8> {
        panic!("as it is")
    }
    let panic = tokio::spawn(work()).await.unwrap_err().into_panic();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "as it is");
}

#[tokio::test]
async fn one_that_gives_up_panics() {
    #[fallback(|error| panic!("gave up: {error}"))]
    async fn closure() -> Result<u8, String> {
        Err("no".to_owned())
    }
    #[fallback(unreachable!())]
    async fn value(fails: bool) -> Option<u8> {
        (!fails).then_some(1)
    }
    let panic = tokio::spawn(closure()).await.unwrap_err().into_panic();
    assert_eq!(*panic.downcast::<String>().unwrap(), "gave up: no");
    assert_eq!(value(false).await, Some(1));
    assert!(tokio::spawn(value(true)).await.unwrap_err().is_panic());
}

#[tokio::test]
async fn generic_functions_and_methods() {
    struct Store<T>(T);
    impl<T: Clone> Store<T> {
        #[fallback(self.0.clone())]
        async fn get<E>(&self, error: E) -> Result<T, E> {
            Err(error)
        }
    }
    assert!(matches!(Store("a").get(5).await, Ok("a")));
}
