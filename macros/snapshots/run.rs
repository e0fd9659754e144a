fn caller() {
    let left = {
        let __run = ::steadfast::__private::output::Closure::new(async || {
            client.stock(id).await
        });
        async {
            const _: () = ::steadfast::__private::version_0_1();
            const __STEADFAST_PLACE: &::core::primitive::str = ::core::concat!(
                ::core::file!(), ":", ::core::line!()
            );
            let mut __run = __run.taken();
            let __output = ::steadfast::__private::output::of_async(&__run);
            ::steadfast::__steadfast_enter!(
                __STEADFAST_SITE, __seen, __STEADFAST_PLACE, [("timeout", "2s"),
                ("retry", "attempts = 3"), ("circuit_breaker", "WAREHOUSE")]
            );
            let __returned = {
                let mut __deadline_0 = ::steadfast::__private::timeout::Deadline::new(
                    ::core::time::Duration::new(2u64, 0u32),
                    {
                        static __STEADFAST_DEADLINES: ::steadfast::__private::timeout::SharedTimers = ::steadfast::__private::timeout::SharedTimers::new();
                        &__STEADFAST_DEADLINES
                    },
                );
                match '__timeout_0: {
                    ::core::result::Result::Ok({
                        let mut __attempts_1 = ::steadfast::__private::retry::Attempts::new(
                            3,
                        );
                        loop {
                            __attempts_1.begin();
                            let __hint_1 = ::steadfast::__private::retry::RequestedDelay::new();
                            let __delay = {
                                let __outcome = '__circuit_breaker_2: {
                                    let __breaker_2: &'static ::steadfast::CircuitBreaker = &(WAREHOUSE);
                                    ::steadfast::__steadfast_attach!(
                                        __STEADFAST_SITE, __breaker_2
                                    );
                                    let mut __permit_2 = ::steadfast::__private::circuit_breaker::permit(
                                        __breaker_2,
                                        &::steadfast::__private::Origin {
                                            function: __STEADFAST_PLACE,
                                            module: ::core::module_path!(),
                                        },
                                    );
                                    if let ::core::result::Result::Err(__open) = __permit_2
                                        .acquire()
                                    {
                                        let __refusal = {
                                            let __error = __open.error(__STEADFAST_PLACE);
                                            __hint_1.note(&__error);
                                            ::steadfast::__private::Rejection::of(__output)
                                                .reject(
                                                    ::steadfast::__private::rejected(
                                                        &::steadfast::__private::Origin {
                                                            function: __STEADFAST_PLACE,
                                                            module: ::core::module_path!(),
                                                        },
                                                        __error,
                                                        __attempts_1.left(),
                                                    ),
                                                )
                                        };
                                        break '__circuit_breaker_2 __refusal;
                                    }
                                    let __outcome = match ::steadfast::__steadfast_watched!(
                                        __seen, ::steadfast::__private::timeout::within(& mut
                                        __deadline_0, __attempts_1.within(__permit_2.state
                                        .watch(async { ::steadfast::__steadfast_chaos!(asynchronous
                                        __STEADFAST_PLACE
                                        __error::steadfast::__private::Rejection::of(__output)
                                        .reject(::steadfast::__private::rejected(&
                                        ::steadfast::__private::Origin { function :
                                        __STEADFAST_PLACE, module : ::core::module_path!() },
                                        __error, false))); __run(). await })))
                                    )
                                        .await
                                    {
                                        ::core::result::Result::Ok(__value) => __value,
                                        ::core::result::Result::Err(__reason) => {
                                            let __cut = ::core::result::Result::Err(__reason);
                                            break '__timeout_0 __cut;
                                        }
                                    };
                                    __permit_2
                                        .record_outcome(
                                            ::steadfast::__private::retry::failed(
                                                ::steadfast::__private::judge_of(__output)
                                                    .failure(&__outcome),
                                            ),
                                        );
                                    __outcome
                                };
                                if !::steadfast::__private::retry::failed(
                                    ::steadfast::__private::judge_of(__output)
                                        .failure(&__outcome),
                                ) || !__attempts_1.left()
                                {
                                    break __outcome;
                                }
                                let __delay = ::steadfast::__private::retry::at_least(
                                    __attempts_1
                                        .wait(
                                            &::steadfast::__private::retry::Backoff {
                                                delay: ::core::time::Duration::from_millis(100u64),
                                                factor: 2.0,
                                                max_delay: ::core::time::Duration::from_millis(30000u64),
                                                jitter: ::steadfast::__private::retry::Jitter::Full,
                                            },
                                        ),
                                    __hint_1.nanos(),
                                    ::steadfast::__private::retry::late_hint(
                                        &__outcome,
                                        (0, 0, 0, 0, 0),
                                    ),
                                );
                                if !::steadfast::__private::retry::is_in_time(__delay)
                                    || !__deadline_0.leaves_room(__delay)
                                {
                                    break __outcome;
                                }
                                __delay
                            };
                            match ::steadfast::__steadfast_watched!(
                                __seen, ::steadfast::__private::timeout::within(& mut
                                __deadline_0, ::steadfast::__private::retry::wait(__delay))
                            )
                                .await
                            {
                                ::core::result::Result::Ok(__value) => __value,
                                ::core::result::Result::Err(__reason) => {
                                    let __cut = ::core::result::Result::Err(__reason);
                                    break '__timeout_0 __cut;
                                }
                            };
                            ::steadfast::__private::retry::retrying(
                                &::steadfast::__private::Origin {
                                    function: __STEADFAST_PLACE,
                                    module: ::core::module_path!(),
                                },
                                __attempts_1.made(),
                                __delay,
                            );
                        }
                    })
                } {
                    ::core::result::Result::Ok(__value) => __value,
                    ::core::result::Result::Err(__expired_0) => {
                        ::steadfast::__private::timeout::rejection::slot_of(__output)
                            .reject(
                                <_ as ::steadfast::__private::timeout::rejection::Represent<
                                    _,
                                >>::represent(
                                    ::steadfast::__private::rejected(
                                        &::steadfast::__private::Origin {
                                            function: __STEADFAST_PLACE,
                                            module: ::core::module_path!(),
                                        },
                                        __expired_0
                                            .error(
                                                __STEADFAST_PLACE,
                                                ::core::time::Duration::new(2u64, 0u32),
                                            ),
                                        false,
                                    ),
                                ),
                            )
                    }
                }
            };
            ::steadfast::__steadfast_leave!(
                __seen, ::steadfast::__private::Verdict::of(__output).failed(&
                __returned)
            );
            __returned
        }
    };
}
