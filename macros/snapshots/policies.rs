async fn charge(account: &Account, cents: u64) -> Result<Receipt, AppError> {
    const _: () = ::steadfast::__private::version_0_1();
    #[rate_limit(__taken)]
    const _: () = ();
    #[concurrency_limit(__taken)]
    const _: () = ();
    #[circuit_breaker(__taken)]
    const _: () = ();
    #[retry(__taken)]
    const _: () = ();
    #[hedge(__taken)]
    const _: () = ();
    ::steadfast::__steadfast_enter!(
        __STEADFAST_SITE, __seen, "charge", [("fallback", "|error| degraded(error)"),
        ("rate_limit", "100 / 1s, max_wait = 50ms"), ("concurrency_limit",
        "8, queue = 100"), ("circuit_breaker", "PAYMENTS"), ("retry", ""), ("hedge",
        "after = p95")]
    );
    let __returned = match ::steadfast::__private::fallback::settle::<
        Result<Receipt, AppError>,
        _,
    >('__rate_limit_1: {
        let __limiter_1: &::steadfast::RateLimiter = {
            static __STEADFAST_POLICY: ::steadfast::RateLimiter = ::steadfast::RateLimiter::new(
                100,
                ::core::time::Duration::new(1u64, 0u32),
            );
            &__STEADFAST_POLICY
        };
        ::steadfast::__steadfast_attach!(__STEADFAST_SITE, __limiter_1);
        if let ::core::result::Result::Err(__limited) = '__turn_1: {
            let __wait = match ::steadfast::__private::rate_limit::acquire(
                __limiter_1,
                ::core::time::Duration::new(0u64, 50000000u32),
                &::steadfast::__private::Origin {
                    function: "charge",
                    module: ::core::module_path!(),
                },
            ) {
                ::steadfast::__private::rate_limit::Admission::Now => {
                    let __entered = ::core::result::Result::Ok(());
                    break '__turn_1 __entered;
                }
                ::steadfast::__private::rate_limit::Admission::Wait(__wait) => __wait,
                ::steadfast::__private::rate_limit::Admission::Rejected(__limited) => {
                    let __refused = ::core::result::Result::Err(__limited);
                    break '__turn_1 __refused;
                }
            };
            ::steadfast::__steadfast_watched!(__seen, __wait).await
        } {
            let __refusal = <Result<
                Receipt,
                AppError,
            > as ::steadfast::__private::rate_limit::rejection::ErrorSlot<_>>::slot()
                .reject(
                    <_ as ::steadfast::__private::rate_limit::rejection::Represent<
                        _,
                    >>::represent(
                        ::steadfast::__private::rejected(
                            &::steadfast::__private::Origin {
                                function: "charge",
                                module: ::core::module_path!(),
                            },
                            __limited.error("charge"),
                            false,
                        ),
                    ),
                );
            break '__rate_limit_1 __refusal;
        }
        '__concurrency_limit_2: {
            let __limiter_2: &::steadfast::ConcurrencyLimiter = {
                static __STEADFAST_POLICY: ::steadfast::ConcurrencyLimiter = ::steadfast::ConcurrencyLimiter::new(
                        8,
                    )
                    .queue(100);
                &__STEADFAST_POLICY
            };
            ::steadfast::__steadfast_attach!(__STEADFAST_SITE, __limiter_2);
            let __place_2 = match '__turn_2: {
                let __wait = match ::steadfast::__private::concurrency_limit::acquire(
                    __limiter_2,
                    ::core::option::Option::None,
                    &::steadfast::__private::Origin {
                        function: "charge",
                        module: ::core::module_path!(),
                    },
                ) {
                    ::steadfast::__private::concurrency_limit::Admission::Now(
                        __place,
                    ) => {
                        let __entered = ::core::result::Result::Ok(__place);
                        break '__turn_2 __entered;
                    }
                    ::steadfast::__private::concurrency_limit::Admission::Wait(
                        __wait,
                    ) => __wait,
                    ::steadfast::__private::concurrency_limit::Admission::Rejected(
                        __saturated,
                    ) => {
                        let __refused = ::core::result::Result::Err(__saturated);
                        break '__turn_2 __refused;
                    }
                };
                ::steadfast::__steadfast_watched!(__seen, __wait).await
            } {
                ::core::result::Result::Ok(__place) => __place,
                ::core::result::Result::Err(__saturated) => {
                    let __refusal = ::steadfast::__private::Rejection::<
                        Result<Receipt, AppError>,
                    >::new()
                        .reject(
                            ::steadfast::__private::rejected(
                                &::steadfast::__private::Origin {
                                    function: "charge",
                                    module: ::core::module_path!(),
                                },
                                __saturated.error("charge"),
                                false,
                            ),
                        );
                    break '__concurrency_limit_2 __refusal;
                }
            };
            let __outcome = '__circuit_breaker_3: {
                let __breaker_3: &'static ::steadfast::CircuitBreaker = &(PAYMENTS);
                ::steadfast::__steadfast_attach!(__STEADFAST_SITE, __breaker_3);
                let mut __permit_3 = ::steadfast::__private::circuit_breaker::permit(
                    __breaker_3,
                    &::steadfast::__private::Origin {
                        function: "charge",
                        module: ::core::module_path!(),
                    },
                );
                if let ::core::result::Result::Err(__open) = __permit_3.acquire() {
                    let __refusal = ::steadfast::__private::Rejection::<
                        Result<Receipt, AppError>,
                    >::new()
                        .reject(
                            ::steadfast::__private::rejected(
                                &::steadfast::__private::Origin {
                                    function: "charge",
                                    module: ::core::module_path!(),
                                },
                                __open.error("charge"),
                                false,
                            ),
                        );
                    break '__circuit_breaker_3 __refusal;
                }
                let __outcome = {
                    let mut __attempts_4 = ::steadfast::__private::retry::Attempts::new(
                        3,
                    );
                    loop {
                        __attempts_4.begin();
                        let __delay = {
                            let __outcome = {
                                let __latencies_5 = {
                                    static __STEADFAST_LATENCIES: ::steadfast::__private::hedge::Instances = ::steadfast::__private::hedge::Instances::new(
                                        95usize,
                                    );
                                    __STEADFAST_LATENCIES.of(|| {})
                                };
                                let __after_5 = __latencies_5.percentile();
                                let mut __race_5 = ::core::pin::pin!(
                                    ::steadfast::__private::hedge::Race::of(__attempts_4
                                    .during(|| ::steadfast::__private::Call::current()), 1,
                                    __after_5, & ::steadfast::__private::Origin { function :
                                    "charge", module : ::core::module_path!() })
                                );
                                let __started_5 = ::steadfast::__private::hedge::clock();
                                loop {
                                    __race_5
                                        .as_mut()
                                        .start(async {
                                            async {
                                                if let ::core::option::Option::Some(__returned) = ::core::option::Option::None::<
                                                    Result<Receipt, AppError>,
                                                > {
                                                    return __returned;
                                                }
                                                ::steadfast::__steadfast_chaos!(
                                                    asynchronous "charge"
                                                    __error::steadfast::__private::Rejection:: < Result <
                                                    Receipt, AppError > > ::new()
                                                    .reject(::steadfast::__private::rejected(&
                                                    ::steadfast::__private::Origin { function : "charge", module
                                                    : ::core::module_path!() }, __error, false))
                                                );
                                                account.charge(cents).await
                                            }
                                                .await
                                        });
                                    match ::steadfast::__steadfast_watched!(
                                        __seen, __permit_3.state.watch(__attempts_4.within(__race_5
                                        .as_mut().next(| __outcome |
                                        ::steadfast::__private::Verdict:: < Result < Receipt,
                                        AppError > > ::new().failed(__outcome))))
                                    )
                                        .await
                                    {
                                        ::steadfast::__private::hedge::Step::Done(__outcome) => {
                                            if !::steadfast::__private::Verdict::<
                                                Result<Receipt, AppError>,
                                            >::new()
                                                .failed(&__outcome)
                                            {
                                                __latencies_5.record(__started_5.elapsed());
                                            }
                                            break __outcome;
                                        }
                                        ::steadfast::__private::hedge::Step::Another => {}
                                    }
                                }
                            };
                            if !::steadfast::__private::retry::failed(
                                <Result<
                                    Receipt,
                                    AppError,
                                > as ::steadfast::__private::Judged<_>>::judge()
                                    .failure(&__outcome),
                            ) || !__attempts_4.left()
                            {
                                break __outcome;
                            }
                            let __delay = ::steadfast::__private::retry::at_least(
                                __attempts_4
                                    .wait(
                                        &::steadfast::__private::retry::Backoff {
                                            delay: ::core::time::Duration::from_millis(100u64),
                                            factor: 2.0,
                                            max_delay: ::core::time::Duration::from_millis(30000u64),
                                            jitter: ::steadfast::__private::retry::Jitter::Full,
                                        },
                                    ),
                                0,
                                ::steadfast::__private::retry::Hint::<
                                    Result<Receipt, AppError>,
                                >::new()
                                    .wait(&__outcome),
                            );
                            if !::steadfast::__private::retry::is_in_time(__delay) {
                                break __outcome;
                            }
                            __delay
                        };
                        ::steadfast::__steadfast_watched!(
                            __seen, __permit_3.state
                            .watch(::steadfast::__private::retry::wait(__delay))
                        )
                            .await;
                        ::steadfast::__private::retry::retrying(
                            &::steadfast::__private::Origin {
                                function: "charge",
                                module: ::core::module_path!(),
                            },
                            __attempts_4.made(),
                            __delay,
                        );
                    }
                };
                __permit_3
                    .record_outcome(
                        ::steadfast::__private::retry::failed(
                            <Result<
                                Receipt,
                                AppError,
                            > as ::steadfast::__private::Judged<_>>::judge()
                                .failure(&__outcome),
                        ),
                    );
                __outcome
            };
            __place_2
                .record_outcome(
                    ::steadfast::__private::Verdict::<Result<Receipt, AppError>>::new()
                        .failed(&__outcome),
                );
            __outcome
        }
    }) {
        ::core::result::Result::Ok(__outcome) => __outcome,
        ::core::result::Result::Err(__failure) => {
            let (__stand_in, __error) = __failure.tell();
            let error = __error;
            ::steadfast::__private::fallback::stood_in(
                &::steadfast::__private::Origin {
                    function: "charge",
                    module: ::core::module_path!(),
                },
                __stand_in.replace(degraded(error)),
            )
        }
    };
    ::steadfast::__steadfast_leave!(
        __seen, ::steadfast::__private::Verdict:: < Result < Receipt, AppError > >
        ::new().failed(& __returned)
    );
    __returned
}
