async fn charge(account: &Account, cents: u64) -> Result<Receipt, AppError> {
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
        __STEADFAST_SITE, seen, "charge", [("fallback", "|error| degraded(error)"),
        ("rate_limit", "100 / 1s, max_wait = 50ms"), ("concurrency_limit",
        "8, queue = 100"), ("circuit_breaker", "PAYMENTS"), ("retry", ""), ("hedge",
        "after = p95")]
    );
    let returned = {
        let mut attempts_14 = ::steadfast::__private::retry::Attempts::new(3);
        match ::steadfast::__private::fallback::settle::<
            Result<Receipt, AppError>,
            _,
        >('rate_limit_1: {
            let limiter_2: &::steadfast::RateLimiter = {
                static __STEADFAST_POLICY: ::steadfast::RateLimiter = ::steadfast::RateLimiter::new(
                    100,
                    ::core::time::Duration::new(1u64, 0u32),
                );
                &__STEADFAST_POLICY
            };
            ::steadfast::__steadfast_attach!(__STEADFAST_SITE, limiter_2);
            if let ::core::result::Result::Err(limited) = 'turn_5: {
                let wait = match ::steadfast::__private::rate_limit::enter(
                    limiter_2,
                    ::core::time::Duration::new(0u64, 50000000u32),
                    "charge",
                ) {
                    ::steadfast::__private::rate_limit::Enter::Now => {
                        let entered = ::core::result::Result::Ok(());
                        break 'turn_5 entered;
                    }
                    ::steadfast::__private::rate_limit::Enter::Wait(wait) => wait,
                    ::steadfast::__private::rate_limit::Enter::Refused(limited) => {
                        let refused = ::core::result::Result::Err(limited);
                        break 'turn_5 refused;
                    }
                };
                ::steadfast::__steadfast_watched!(seen, wait).await
            } {
                let refusal = <Result<
                    Receipt,
                    AppError,
                > as ::steadfast::__private::rate_limit::refusal::Place<_>>::place()
                    .refuse(
                        <_ as ::steadfast::__private::rate_limit::refusal::Carry<
                            _,
                        >>::carry(limited.error("charge")),
                    );
                break 'rate_limit_1 refusal;
            }
            'concurrency_limit_6: {
                let limiter_7: &::steadfast::ConcurrencyLimiter = {
                    static __STEADFAST_POLICY: ::steadfast::ConcurrencyLimiter = ::steadfast::ConcurrencyLimiter::new(
                            8,
                        )
                        .queue(100);
                    &__STEADFAST_POLICY
                };
                ::steadfast::__steadfast_attach!(__STEADFAST_SITE, limiter_7);
                let place_9 = match 'turn_10: {
                    let wait = match ::steadfast::__private::concurrency_limit::enter(
                        limiter_7,
                        ::core::option::Option::None,
                        "charge",
                    ) {
                        ::steadfast::__private::concurrency_limit::Enter::Now(place) => {
                            let entered = ::core::result::Result::Ok(place);
                            break 'turn_10 entered;
                        }
                        ::steadfast::__private::concurrency_limit::Enter::Wait(wait) => {
                            wait
                        }
                        ::steadfast::__private::concurrency_limit::Enter::Refused(
                            saturated,
                        ) => {
                            let refused = ::core::result::Result::Err(saturated);
                            break 'turn_10 refused;
                        }
                    };
                    ::steadfast::__steadfast_watched!(seen, wait).await
                } {
                    ::core::result::Result::Ok(place) => place,
                    ::core::result::Result::Err(saturated) => {
                        let refusal = <Result<
                            Receipt,
                            AppError,
                        > as ::steadfast::__private::concurrency_limit::refusal::Place<
                            _,
                        >>::place()
                            .refuse(
                                <_ as ::steadfast::__private::concurrency_limit::refusal::Carry<
                                    _,
                                >>::carry(saturated.error("charge")),
                            );
                        break 'concurrency_limit_6 refusal;
                    }
                };
                let outcome = 'circuit_breaker_13: {
                    let breaker_11: &'static ::steadfast::CircuitBreaker = &(PAYMENTS);
                    ::steadfast::__steadfast_attach!(__STEADFAST_SITE, breaker_11);
                    let mut permit_12 = ::steadfast::__private::circuit_breaker::at(
                        breaker_11,
                        &"charge",
                    );
                    if let ::core::result::Result::Err(open) = permit_12.enter() {
                        let refusal = <Result<
                            Receipt,
                            AppError,
                        > as ::steadfast::__private::circuit_breaker::refusal::Place<
                            _,
                        >>::place()
                            .refuse(
                                <_ as ::steadfast::__private::circuit_breaker::refusal::Carry<
                                    _,
                                >>::carry(open.error("charge")),
                            );
                        break 'circuit_breaker_13 refusal;
                    }
                    let outcome = loop {
                        attempts_14.begin();
                        let delay = {
                            let outcome = {
                                let latencies_22 = {
                                    static __STEADFAST_LATENCIES: ::steadfast::__private::hedge::Latencies = ::steadfast::__private::hedge::Latencies::new(
                                        95usize,
                                    );
                                    &__STEADFAST_LATENCIES
                                };
                                let after_20 = latencies_22.percentile();
                                {
                                    let mut race_19 = ::core::pin::pin!(
                                        ::steadfast::__private::hedge::Race::new(1, after_20)
                                    );
                                    let started_23 = ::steadfast::__private::hedge::clock();
                                    loop {
                                        race_19
                                            .as_mut()
                                            .start(async {
                                                async {
                                                    if let ::core::option::Option::Some(returned) = ::core::option::Option::None::<
                                                        Result<Receipt, AppError>,
                                                    > {
                                                        return returned;
                                                    }
                                                    ::steadfast::__steadfast_chaos!(
                                                        asynchronous "charge" error::steadfast::__private::Refusal::
                                                        < Result < Receipt, AppError > > ::new().refuse(error)
                                                    );
                                                    account.charge(cents).await
                                                }
                                                    .await
                                            });
                                        match ::steadfast::__steadfast_watched!(
                                            seen, permit_12.polled.watch(race_19.as_mut().next(| outcome
                                            | ::steadfast::__private::Verdict:: < Result < Receipt,
                                            AppError > > ::new().failed(outcome)))
                                        )
                                            .await
                                        {
                                            ::steadfast::__private::hedge::Step::Done(outcome) => {
                                                if !::steadfast::__private::Verdict::<
                                                    Result<Receipt, AppError>,
                                                >::new()
                                                    .failed(&outcome)
                                                {
                                                    latencies_22.note(started_23.elapsed());
                                                }
                                                break outcome;
                                            }
                                            ::steadfast::__private::hedge::Step::Another => {
                                                ::steadfast::__private::hedge::another("charge")
                                            }
                                        }
                                    }
                                }
                            };
                            if !::steadfast::__private::retry::failed(
                                <Result<
                                    Receipt,
                                    AppError,
                                > as ::steadfast::__private::Judged<_>>::judge()
                                    .failure(&outcome),
                            ) || !attempts_14.left()
                            {
                                break outcome;
                            }
                            let delay = ::steadfast::__private::retry::at_least(
                                attempts_14
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
                                    .wait(&outcome),
                            );
                            if !::steadfast::__private::retry::is_in_time(delay) {
                                break outcome;
                            }
                            delay
                        };
                        ::steadfast::__steadfast_watched!(
                            seen, permit_12.polled
                            .watch(::steadfast::__private::retry::wait(delay))
                        )
                            .await;
                        ::steadfast::__private::retry::retrying(
                            "charge",
                            attempts_14.made(),
                            delay,
                        );
                    };
                    permit_12
                        .settle(
                            ::steadfast::__private::retry::failed(
                                <Result<
                                    Receipt,
                                    AppError,
                                > as ::steadfast::__private::Judged<_>>::judge()
                                    .failure(&outcome),
                            ),
                        );
                    outcome
                };
                place_9
                    .settle(
                        ::steadfast::__private::Verdict::<
                            Result<Receipt, AppError>,
                        >::new()
                            .failed(&outcome),
                    );
                outcome
            }
        }) {
            ::core::result::Result::Ok(outcome) => outcome,
            ::core::result::Result::Err(failure) => {
                let (stand_in, error) = failure.tell();
                let error = error;
                ::steadfast::__private::fallback::stood_in(
                    "charge",
                    stand_in.replace(degraded(error)),
                )
            }
        }
    };
    ::steadfast::__steadfast_leave!(
        seen, ::steadfast::__private::Verdict:: < Result < Receipt, AppError > > ::new()
        .failed(& returned)
    );
    returned
}
