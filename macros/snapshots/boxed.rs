fn find<'a>(
    &'a self,
    name: String,
) -> Pin<Box<dyn Future<Output = Option<u8>> + Send + 'a>> {
    const _: () = ::steadfast::__private::version_0_1();
    Box::pin(async move {
        ::steadfast::__steadfast_enter!(
            __STEADFAST_SITE, __seen, "find", [("retry", "clone(name)")]
        );
        let __returned = {
            let mut __attempts_0 = ::steadfast::__private::retry::Attempts::new(3);
            let mut __original0_0 = ::steadfast::__private::retry::Repeat::new(
                ::steadfast::__private::retry::assert_repeat(&name).gate(name),
            );
            loop {
                let __last_0 = __attempts_0.begin();
                let name = __original0_0.next(__last_0);
                let __delay = {
                    let __outcome = ::steadfast::__steadfast_watched!(
                        __seen, __attempts_0.within(async { if let
                        ::core::option::Option::Some(__returned) =
                        ::core::option::Option::None:: < Option < u8 > > { return
                        __returned; } ::steadfast::__steadfast_chaos!(asynchronous "find"
                        __error::steadfast::__private::Rejection:: < Option < u8 > >
                        ::new().reject(::steadfast::__private::rejected(&
                        ::steadfast::__private::Origin { function : "find", module :
                        ::core::module_path!() }, __error, false))); self.look_up(name).
                        await })
                    )
                        .await;
                    if !::steadfast::__private::retry::failed(
                        <Option<u8> as ::steadfast::__private::Judged<_>>::judge()
                            .failure(&__outcome),
                    ) || !__attempts_0.left()
                    {
                        break __outcome;
                    }
                    let __delay = ::steadfast::__private::retry::at_least(
                        __attempts_0
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
                            .wait(&__outcome),
                    );
                    if !::steadfast::__private::retry::is_in_time(__delay) {
                        break __outcome;
                    }
                    __delay
                };
                ::steadfast::__steadfast_watched!(
                    __seen, ::steadfast::__private::retry::wait(__delay)
                )
                    .await;
                ::steadfast::__private::retry::retrying(
                    &::steadfast::__private::Origin {
                        function: "find",
                        module: ::core::module_path!(),
                    },
                    __attempts_0.made(),
                    __delay,
                );
            }
        };
        ::steadfast::__steadfast_leave!(
            __seen, ::steadfast::__private::Verdict:: < Option < u8 > > ::new().failed(&
            __returned)
        );
        __returned
    })
}
