async fn stock(id: u64) -> Result<u32, AppError> {
    const _: () = ::steadfast::__private::version_0_1();
    #[::steadfast::retry(__taken)]
    const _: () = ();
    #[::steadfast::timeout(__taken)]
    const _: () = ();
    ::steadfast::__steadfast_enter!(
        __STEADFAST_SITE, __seen, "stock", [("timeout", "2s"), ("retry", "attempts = 3"),
        ("timeout", "500ms")]
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
                let mut __attempts_1 = ::steadfast::__private::retry::Attempts::new(3);
                loop {
                    __attempts_1.begin();
                    let __delay = {
                        let __outcome = {
                            let mut __deadline_2 = ::steadfast::__private::timeout::Deadline::new(
                                ::core::time::Duration::new(0u64, 500000000u32),
                                {
                                    static __STEADFAST_DEADLINES: ::steadfast::__private::timeout::SharedTimers = ::steadfast::__private::timeout::SharedTimers::new();
                                    &__STEADFAST_DEADLINES
                                },
                            );
                            match '__timeout_2: {
                                ::core::result::Result::Ok(
                                    match match ::steadfast::__steadfast_watched!(
                                        __seen, ::steadfast::__private::timeout::within(& mut
                                        __deadline_0, __attempts_1
                                        .within(::steadfast::__private::timeout::within(& mut
                                        __deadline_2, async { if let
                                        ::core::option::Option::Some(__returned) =
                                        ::core::option::Option::None:: < Result < u32, AppError > >
                                        { return __returned; }
                                        ::steadfast::__steadfast_chaos!(asynchronous "stock"
                                        __error::steadfast::__private::Rejection:: < Result < u32,
                                        AppError > > ::new()
                                        .reject(::steadfast::__private::rejected(&
                                        ::steadfast::__private::Origin { function : "stock", module
                                        : ::core::module_path!() }, __error, false))); client()
                                        .stock(id). await })))
                                    )
                                        .await
                                    {
                                        ::core::result::Result::Ok(__value) => __value,
                                        ::core::result::Result::Err(__reason) => {
                                            let __cut = ::core::result::Result::Err(__reason);
                                            break '__timeout_0 __cut;
                                        }
                                    } {
                                        ::core::result::Result::Ok(__value) => __value,
                                        ::core::result::Result::Err(__reason) => {
                                            let __cut = ::core::result::Result::Err(__reason);
                                            break '__timeout_2 __cut;
                                        }
                                    },
                                )
                            } {
                                ::core::result::Result::Ok(__value) => __value,
                                ::core::result::Result::Err(__expired_2) => {
                                    ::steadfast::__private::Rejection::<
                                        Result<u32, AppError>,
                                    >::new()
                                        .reject(
                                            ::steadfast::__private::rejected(
                                                &::steadfast::__private::Origin {
                                                    function: "stock",
                                                    module: ::core::module_path!(),
                                                },
                                                __expired_2
                                                    .error(
                                                        "stock",
                                                        ::core::time::Duration::new(0u64, 500000000u32),
                                                    ),
                                                __attempts_1.left(),
                                            ),
                                        )
                                }
                            }
                        };
                        if !::steadfast::__private::retry::failed(
                            <Result<
                                u32,
                                AppError,
                            > as ::steadfast::__private::Judged<_>>::judge()
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
                            0,
                            ::steadfast::__private::retry::Hint::<
                                Result<u32, AppError>,
                            >::new()
                                .wait(&__outcome),
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
                            function: "stock",
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
                <Result<
                    u32,
                    AppError,
                > as ::steadfast::__private::timeout::rejection::ErrorSlot<_>>::slot()
                    .reject(
                        <_ as ::steadfast::__private::timeout::rejection::Represent<
                            _,
                        >>::represent(
                            ::steadfast::__private::rejected(
                                &::steadfast::__private::Origin {
                                    function: "stock",
                                    module: ::core::module_path!(),
                                },
                                __expired_0
                                    .error("stock", ::core::time::Duration::new(2u64, 0u32)),
                                false,
                            ),
                        ),
                    )
            }
        }
    };
    ::steadfast::__steadfast_leave!(
        __seen, ::steadfast::__private::Verdict:: < Result < u32, AppError > > ::new()
        .failed(& __returned)
    );
    __returned
}
