fn find<'a>(
    &'a self,
    name: String,
) -> Pin<Box<dyn Future<Output = Option<u8>> + Send + 'a>> {
    Box::pin(async move {
        ::steadfast::__steadfast_enter!(
            __STEADFAST_SITE, seen, "find", [("retry", "clone(name)")]
        );
        let returned = {
            let mut attempts_1 = ::steadfast::__private::retry::Attempts::new(3);
            let mut original_6 = ::steadfast::__private::retry::Repeat::new(
                ::steadfast::__private::retry::ask_repeat(&name).pass(name),
            );
            loop {
                let last_3 = attempts_1.begin();
                let name = original_6.next(last_3);
                let delay = {
                    let outcome = {
                        ::steadfast::__steadfast_watched!(
                            seen, async { if let ::core::option::Option::Some(returned) =
                            ::core::option::Option::None:: < Option < u8 > > { return
                            returned; } ::steadfast::__steadfast_chaos!(asynchronous
                            "find" error::steadfast::__private::Refusal:: < Option < u8 >
                            > ::new().refuse(error)); self.look_up(name). await }
                        )
                            .await
                    };
                    if !::steadfast::__private::retry::failed(
                        <Option<u8> as ::steadfast::__private::Judged<_>>::judge()
                            .failure(&outcome),
                    ) || !attempts_1.left()
                    {
                        break outcome;
                    }
                    let delay = ::steadfast::__private::retry::at_least(
                        attempts_1
                            .wait(
                                &::steadfast::__private::retry::Backoff {
                                    delay: ::core::time::Duration::from_millis(100u64),
                                    factor: 2.0,
                                    max_delay: ::core::time::Duration::from_millis(30000u64),
                                    jitter: ::steadfast::__private::retry::Jitter::Full,
                                },
                            ),
                        0,
                        ::steadfast::__private::retry::Hint::<Option<u8>>::new()
                            .wait(&outcome),
                    );
                    if !::steadfast::__private::retry::is_in_time(delay) {
                        break outcome;
                    }
                    delay
                };
                ::steadfast::__steadfast_watched!(
                    seen, ::steadfast::__private::retry::wait(delay)
                )
                    .await;
                ::steadfast::__private::retry::retrying(
                    "find",
                    attempts_1.made(),
                    delay,
                );
            }
        };
        ::steadfast::__steadfast_leave!(
            seen, ::steadfast::__private::Verdict:: < Option < u8 > > ::new().failed(&
            returned)
        );
        returned
    })
}
