#[tracing::instrument]
async fn user(db: Db, id: UserId) -> Result<User, AppError> {
    const _: () = ::steadfast::__private::version_0_1();
    #[timeout(__taken)]
    const _: () = ();
    #[retry(__taken)]
    const _: () = ();
    #[timeout(__taken)]
    const _: () = ();
    #[offload_blocking(__taken)]
    const _: () = ();
    ::steadfast::__steadfast_enter!(
        __STEADFAST_SITE, __seen, "user", [("async_cached",
        "ttl = 60s, skip(db), handle = user_cache"), ("timeout", "2s"), ("retry",
        "attempts = 3, delay = 50ms, when = |e| e.is_transient()"), ("timeout", "500ms"),
        ("offload_blocking", "limit = 4")]
    );
    let __returned = '__cached_0: {
        let __shape_0 = ::steadfast::__private::cache::KindOf::<
            Result<User, AppError>,
        >::new()
            .kind();
        let __fit = ::steadfast::__private::Satisfied
            .and(::steadfast::__private::cache::assert_argument::<UserId, _>())
            .and(::steadfast::__private::cache::assert_value(&__shape_0))
            .and(
                ::steadfast::__private::cache::assert_readable::<User, _, _>(&__shape_0),
            );
        let __shape_0 = __fit.gate(__shape_0);
        let __owned = ::steadfast::__private::cache::Owned {
            key: || ::core::clone::Clone::clone(__fit.gate(&id)),
            tags: ::steadfast::__private::cache::Tags::none,
        };
        let __store: &::steadfast::Cache<_, _> = user_cache();
        let __cache_0 = __fit.gate(__store);
        ::steadfast::__steadfast_attach!(__STEADFAST_SITE, __cache_0);
        let __mode = ::steadfast::__private::cache::Mode {
            refresh: false,
            single_flight: true,
        };
        let __turn = match ::steadfast::__private::cache::begin(
            __cache_0,
            __fit.gate(&id),
            __owned,
            __shape_0,
            __mode,
        ) {
            ::steadfast::__private::cache::Begin::Hit(__out) => break '__cached_0 __out,
            ::steadfast::__private::cache::Begin::Miss(__turn) => __turn,
            ::steadfast::__private::cache::Begin::Recursion => {
                let __refusal = ::steadfast::__private::Rejection::<
                    Result<User, AppError>,
                >::new()
                    .reject(
                        ::steadfast::__private::rejected(
                            &::steadfast::__private::Origin {
                                function: "user",
                                module: ::core::module_path!(),
                            },
                            ::steadfast::__private::cache::recursion("user"),
                            false,
                        ),
                    );
                break '__cached_0 __refusal;
            }
        };
        let __lead_0 = match __turn {
            ::steadfast::__private::cache::Role::Leader(__lead) => __lead,
            ::steadfast::__private::cache::Role::Waiter(__waiter) => {
                match ::steadfast::__steadfast_watched!(__seen, __waiter.wait(__shape_0))
                    .await
                {
                    ::steadfast::__private::cache::Waited::Done(__out) => {
                        break '__cached_0 __out;
                    }
                    ::steadfast::__private::cache::Waited::Leader(__lead) => __lead,
                }
            }
        };
        let __out = {
            let mut __deadline_1 = ::steadfast::__private::timeout::Deadline::new(
                ::core::time::Duration::new(2u64, 0u32),
                {
                    static __STEADFAST_DEADLINES: ::steadfast::__private::timeout::SharedTimers = ::steadfast::__private::timeout::SharedTimers::new();
                    &__STEADFAST_DEADLINES
                },
            );
            match '__timeout_1: {
                ::core::result::Result::Ok({
                    let mut __attempts_2 = ::steadfast::__private::retry::Attempts::new(
                        3,
                    );
                    let mut __original0_2 = ::steadfast::__private::retry::Repeat::new(
                        ::steadfast::__private::retry::assert_repeat(&db).gate(db),
                    );
                    let mut __original1_2 = ::steadfast::__private::retry::Repeat::new(
                        ::steadfast::__private::retry::assert_repeat(&id).gate(id),
                    );
                    loop {
                        let __last_2 = __attempts_2.begin();
                        let db = __original0_2.next(__last_2);
                        let id = __original1_2.next(__last_2);
                        let __delay = {
                            let __outcome = {
                                let mut __deadline_3 = ::steadfast::__private::timeout::Deadline::new(
                                    ::core::time::Duration::new(0u64, 500000000u32),
                                    {
                                        static __STEADFAST_DEADLINES: ::steadfast::__private::timeout::SharedTimers = ::steadfast::__private::timeout::SharedTimers::new();
                                        &__STEADFAST_DEADLINES
                                    },
                                );
                                match '__timeout_3: {
                                    ::core::result::Result::Ok(
                                        match match match ::steadfast::__steadfast_watched!(
                                            __seen, __lead_0
                                            .scope(::steadfast::__private::timeout::within(& mut
                                            __deadline_1, __attempts_2
                                            .within(::steadfast::__private::timeout::within(& mut
                                            __deadline_3,
                                            ::steadfast::__private::offload::run(::steadfast::__private::offload::Tokio,
                                            { static __STEADFAST_GATE :
                                            ::steadfast::__private::offload::JobLimit =
                                            ::steadfast::__private::offload::JobLimit::new();
                                            __STEADFAST_GATE.acquire(|| 4) }, { let __job =
                                            ::steadfast::__private::Satisfied
                                            .and(::steadfast::__private::offload::assert_send:: < Db, _
                                            > ()).and(::steadfast::__private::offload::assert_send:: <
                                            UserId, _ > ())
                                            .and(::steadfast::__private::offload::assert_send:: < Result
                                            < User, AppError >, _ > ()); __job.gate(move || { if let
                                            ::core::option::Option::Some(__returned) =
                                            ::core::option::Option::None:: < Result < User, AppError > >
                                            { return __returned; }
                                            ::steadfast::__steadfast_chaos!(blocking "user"
                                            __error::steadfast::__private::Rejection:: < Result < User,
                                            AppError > > ::new()
                                            .reject(::steadfast::__private::rejected(&
                                            ::steadfast::__private::Origin { function : "user", module :
                                            ::core::module_path!() }, __error, false))); db.fetch(id) })
                                            })))))
                                        )
                                            .await
                                        {
                                            ::core::result::Result::Ok(__value) => __value,
                                            ::core::result::Result::Err(__reason) => {
                                                let __cut = ::core::result::Result::Err(__reason);
                                                break '__timeout_1 __cut;
                                            }
                                        } {
                                            ::core::result::Result::Ok(__value) => __value,
                                            ::core::result::Result::Err(__reason) => {
                                                let __cut = ::core::result::Result::Err(__reason);
                                                break '__timeout_3 __cut;
                                            }
                                        } {
                                            ::core::result::Result::Ok(__value) => __value,
                                            ::core::result::Result::Err(__gone_4) => {
                                                ::steadfast::__private::Rejection::<
                                                    Result<User, AppError>,
                                                >::new()
                                                    .reject(
                                                        ::steadfast::__private::rejected(
                                                            &::steadfast::__private::Origin {
                                                                function: "user",
                                                                module: ::core::module_path!(),
                                                            },
                                                            __gone_4.error("user"),
                                                            false,
                                                        ),
                                                    )
                                            }
                                        },
                                    )
                                } {
                                    ::core::result::Result::Ok(__value) => __value,
                                    ::core::result::Result::Err(__expired_3) => {
                                        ::steadfast::__private::Rejection::<
                                            Result<User, AppError>,
                                        >::new()
                                            .reject(
                                                ::steadfast::__private::rejected(
                                                    &::steadfast::__private::Origin {
                                                        function: "user",
                                                        module: ::core::module_path!(),
                                                    },
                                                    __expired_3
                                                        .error(
                                                            "user",
                                                            ::core::time::Duration::new(0u64, 500000000u32),
                                                        ),
                                                    __attempts_2.left(),
                                                ),
                                            )
                                    }
                                }
                            };
                            if !__deadline_1
                                .during(|| {
                                    __attempts_2
                                        .during(|| ::steadfast::__private::retry::when(
                                            <Result<
                                                User,
                                                AppError,
                                            > as ::steadfast::__private::Judged<_>>::judge()
                                                .failure(&__outcome),
                                            |e| e.is_transient(),
                                        ))
                                }) || !__attempts_2.left()
                            {
                                break __outcome;
                            }
                            let __delay = ::steadfast::__private::retry::at_least(
                                __attempts_2
                                    .wait(
                                        &::steadfast::__private::retry::Backoff {
                                            delay: ::core::time::Duration::new(0u64, 50000000u32),
                                            factor: 2.0,
                                            max_delay: ::core::time::Duration::from_millis(30000u64),
                                            jitter: ::steadfast::__private::retry::Jitter::Full,
                                        },
                                    ),
                                0,
                                ::steadfast::__private::retry::Hint::<
                                    Result<User, AppError>,
                                >::new()
                                    .wait(&__outcome),
                            );
                            if !::steadfast::__private::retry::is_in_time(__delay)
                                || !__deadline_1.leaves_room(__delay)
                            {
                                break __outcome;
                            }
                            __delay
                        };
                        match ::steadfast::__steadfast_watched!(
                            __seen, __lead_0
                            .scope(::steadfast::__private::timeout::within(& mut
                            __deadline_1, ::steadfast::__private::retry::wait(__delay)))
                        )
                            .await
                        {
                            ::core::result::Result::Ok(__value) => __value,
                            ::core::result::Result::Err(__reason) => {
                                let __cut = ::core::result::Result::Err(__reason);
                                break '__timeout_1 __cut;
                            }
                        };
                        ::steadfast::__private::retry::retrying(
                            &::steadfast::__private::Origin {
                                function: "user",
                                module: ::core::module_path!(),
                            },
                            __attempts_2.made(),
                            __delay,
                        );
                    }
                })
            } {
                ::core::result::Result::Ok(__value) => __value,
                ::core::result::Result::Err(__expired_1) => {
                    <Result<
                        User,
                        AppError,
                    > as ::steadfast::__private::timeout::rejection::ErrorSlot<
                        _,
                    >>::slot()
                        .reject(
                            <_ as ::steadfast::__private::timeout::rejection::Represent<
                                _,
                            >>::represent(
                                ::steadfast::__private::rejected(
                                    &::steadfast::__private::Origin {
                                        function: "user",
                                        module: ::core::module_path!(),
                                    },
                                    __expired_1
                                        .error("user", ::core::time::Duration::new(2u64, 0u32)),
                                    false,
                                ),
                            ),
                        )
                }
            }
        };
        let __lifetime = ::steadfast::__private::cache::Lifetime::new();
        __lead_0.complete(__shape_0, __out, __lifetime)
    };
    ::steadfast::__steadfast_leave!(
        __seen, ::steadfast::__private::Verdict:: < Result < User, AppError > > ::new()
        .failed(& __returned)
    );
    __returned
}
///The cache of [`user`].
#[must_use]
fn user_cache() -> &'static ::steadfast::Cache<UserId, User> {
    {
        static __STEADFAST_SLOT: ::steadfast::__private::cache::CacheSlot = ::steadfast::__private::cache::CacheSlot::new();
        <::steadfast::Cache<
            UserId,
            User,
        > as ::steadfast::__private::cache::IsCache<_>>::types()
            .cache(
                &__STEADFAST_SLOT,
                || (),
                |__settings| __settings.ttl(::core::time::Duration::new(60u64, 0u32)),
            )
    }
}
