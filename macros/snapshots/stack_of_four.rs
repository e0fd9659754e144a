#[tracing::instrument]
async fn user(db: Db, id: UserId) -> Result<User, AppError> {
    #[timeout(__taken)]
    const _: () = ();
    #[retry(__taken)]
    const _: () = ();
    #[timeout(__taken)]
    const _: () = ();
    #[offload_blocking(__taken)]
    const _: () = ();
    ::steadfast::__steadfast_enter!(
        __STEADFAST_SITE, seen, "user", [("async_cached",
        "ttl = 60s, skip(db), handle = user_cache"), ("timeout", "2s"), ("retry",
        "attempts = 3, delay = 50ms, when = |e| e.is_transient()"), ("timeout", "500ms"),
        ("offload_blocking", "limit = 4")]
    );
    let returned = {
        'cached_1: {
            let shape_3 = ::steadfast::__private::cache::Kind::<
                Result<User, AppError>,
            >::new()
                .shape();
            let fit = ::steadfast::__private::Met
                .and(::steadfast::__private::cache::ask_argument::<UserId, _>())
                .and(::steadfast::__private::cache::ask_value(&shape_3))
                .and(
                    ::steadfast::__private::cache::ask_readable::<User, _, _>(&shape_3),
                );
            let shape_3 = fit.pass(shape_3);
            let owned = ::steadfast::__private::cache::Owned {
                key: || ::core::clone::Clone::clone(fit.pass(&id)),
                tags: ::steadfast::__private::cache::Tags::none,
            };
            let store: &::steadfast::Cache<_, _> = user_cache();
            let cache_2 = fit.pass(store);
            ::steadfast::__steadfast_attach!(__STEADFAST_SITE, cache_2);
            let mode = ::steadfast::__private::cache::Mode {
                refresh: false,
                single_flight: true,
            };
            let turn = match ::steadfast::__private::cache::begin(
                cache_2,
                fit.pass(&id),
                owned,
                shape_3,
                mode,
            ) {
                ::steadfast::__private::cache::Begin::Hit(out) => break 'cached_1 out,
                ::steadfast::__private::cache::Begin::Miss(turn) => turn,
                ::steadfast::__private::cache::Begin::Recursion => {
                    let refusal = ::steadfast::__private::Refusal::<
                        Result<User, AppError>,
                    >::new()
                        .refuse(::steadfast::__private::cache::recursion("user"));
                    break 'cached_1 refusal;
                }
            };
            let limit_5: ::core::time::Duration = ::core::time::Duration::new(
                2u64,
                0u32,
            );
            let mut attempts_9 = ::steadfast::__private::retry::Attempts::new(3);
            let mut original_14 = ::steadfast::__private::retry::Repeat::new(
                ::steadfast::__private::retry::ask_repeat(&db).pass(db),
            );
            let mut original_15 = ::steadfast::__private::retry::Repeat::new(
                ::steadfast::__private::retry::ask_repeat(&id).pass(id),
            );
            let mut deadline_6 = ::steadfast::__private::timeout::Deadline::new(
                limit_5,
                {
                    static __STEADFAST_DEADLINES: ::steadfast::__private::timeout::Deadlines = ::steadfast::__private::timeout::Deadlines::new();
                    &__STEADFAST_DEADLINES
                },
            );
            let lead_4 = match turn {
                ::steadfast::__private::cache::Turn::Lead(lead) => lead,
                ::steadfast::__private::cache::Turn::Wait(waiter) => {
                    match ::steadfast::__steadfast_watched!(seen, waiter.wait(shape_3))
                        .await
                    {
                        ::steadfast::__private::cache::Waited::Done(out) => {
                            break 'cached_1 out;
                        }
                        ::steadfast::__private::cache::Waited::Lead(lead) => lead,
                    }
                }
            };
            let out = match 'timeout_8: {
                ::core::result::Result::Ok(
                    loop {
                        let last_11 = attempts_9.begin();
                        let db = original_14.next(last_11);
                        let id = original_15.next(last_11);
                        let delay = {
                            let outcome = {
                                let limit_16: ::core::time::Duration = ::core::time::Duration::new(
                                    0u64,
                                    500000000u32,
                                );
                                let pool_20 = ::steadfast::__private::offload::Tokio;
                                let mut deadline_17 = ::steadfast::__private::timeout::Deadline::new(
                                    limit_16,
                                    {
                                        static __STEADFAST_DEADLINES: ::steadfast::__private::timeout::Deadlines = ::steadfast::__private::timeout::Deadlines::new();
                                        &__STEADFAST_DEADLINES
                                    },
                                );
                                match 'timeout_19: {
                                    ::core::result::Result::Ok(
                                        match match match ::steadfast::__steadfast_watched!(
                                            seen, lead_4.scope(::steadfast::__private::timeout::within(&
                                            mut deadline_6, ::steadfast::__private::timeout::within(&
                                            mut deadline_17,
                                            ::steadfast::__private::offload::run(pool_20, { static
                                            __STEADFAST_GATE : ::steadfast::__private::offload::Gate =
                                            ::steadfast::__private::offload::Gate::new();
                                            __STEADFAST_GATE.enter(|| 4) }, { let job =
                                            ::steadfast::__private::Met
                                            .and(::steadfast::__private::offload::ask_send:: < Db, _ >
                                            ()).and(::steadfast::__private::offload::ask_send:: <
                                            UserId, _ > ())
                                            .and(::steadfast::__private::offload::ask_send:: < Result <
                                            User, AppError >, _ > ()); job.pass(move || { if let
                                            ::core::option::Option::Some(returned) =
                                            ::core::option::Option::None:: < Result < User, AppError > >
                                            { return returned; }
                                            ::steadfast::__steadfast_chaos!(blocking "user"
                                            error::steadfast::__private::Refusal:: < Result < User,
                                            AppError > > ::new().refuse(error)); db.fetch(id) }) }))))
                                        )
                                            .await
                                        {
                                            ::core::result::Result::Ok(value) => value,
                                            ::core::result::Result::Err(reason) => {
                                                let cut = ::core::result::Result::Err(reason);
                                                break 'timeout_8 cut;
                                            }
                                        } {
                                            ::core::result::Result::Ok(value) => value,
                                            ::core::result::Result::Err(reason) => {
                                                let cut = ::core::result::Result::Err(reason);
                                                break 'timeout_19 cut;
                                            }
                                        } {
                                            ::core::result::Result::Ok(value) => value,
                                            ::core::result::Result::Err(gone_21) => {
                                                ::steadfast::__private::Refusal::<
                                                    Result<User, AppError>,
                                                >::new()
                                                    .refuse(gone_21.error("user"))
                                            }
                                        },
                                    )
                                } {
                                    ::core::result::Result::Ok(value) => value,
                                    ::core::result::Result::Err(expired_18) => {
                                        <Result<
                                            User,
                                            AppError,
                                        > as ::steadfast::__private::timeout::refusal::Place<
                                            _,
                                        >>::place()
                                            .refuse(
                                                <_ as ::steadfast::__private::timeout::refusal::Carry<
                                                    _,
                                                >>::carry(
                                                    expired_18
                                                        .error(
                                                            "user",
                                                            ::core::time::Duration::new(0u64, 500000000u32),
                                                        ),
                                                ),
                                            )
                                    }
                                }
                            };
                            if !::steadfast::__private::retry::when(
                                <Result<
                                    User,
                                    AppError,
                                > as ::steadfast::__private::Judged<_>>::judge()
                                    .failure(&outcome),
                                |e| e.is_transient(),
                            ) || !attempts_9.left()
                            {
                                break outcome;
                            }
                            let delay = ::steadfast::__private::retry::at_least(
                                attempts_9
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
                                    .wait(&outcome),
                            );
                            if !::steadfast::__private::retry::is_in_time(delay)
                                || !deadline_6.leaves_room(delay)
                            {
                                break outcome;
                            }
                            delay
                        };
                        match ::steadfast::__steadfast_watched!(
                            seen, lead_4.scope(::steadfast::__private::timeout::within(&
                            mut deadline_6, ::steadfast::__private::retry::wait(delay)))
                        )
                            .await
                        {
                            ::core::result::Result::Ok(value) => value,
                            ::core::result::Result::Err(reason) => {
                                let cut = ::core::result::Result::Err(reason);
                                break 'timeout_8 cut;
                            }
                        };
                        ::steadfast::__private::retry::retrying(
                            "user",
                            attempts_9.made(),
                            delay,
                        );
                    },
                )
            } {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(expired_7) => {
                    <Result<
                        User,
                        AppError,
                    > as ::steadfast::__private::timeout::refusal::Place<_>>::place()
                        .refuse(
                            <_ as ::steadfast::__private::timeout::refusal::Carry<
                                _,
                            >>::carry(
                                expired_7
                                    .error("user", ::core::time::Duration::new(2u64, 0u32)),
                            ),
                        )
                }
            };
            let lifetime = ::steadfast::__private::cache::Lifetime::new();
            lead_4.land(shape_3, out, lifetime)
        }
    };
    ::steadfast::__steadfast_leave!(
        seen, ::steadfast::__private::Verdict:: < Result < User, AppError > > ::new()
        .failed(& returned)
    );
    returned
}
///The cache of [`user`].
#[must_use]
fn user_cache() -> &'static ::steadfast::Cache<UserId, User> {
    {
        static __STEADFAST_SLOT: ::steadfast::__private::cache::Slot = ::steadfast::__private::cache::Slot::new();
        <::steadfast::Cache<
            UserId,
            User,
        > as ::steadfast::__private::cache::IsCache<_>>::types()
            .cache(
                &__STEADFAST_SLOT,
                || (),
                |settings| settings.ttl(::core::time::Duration::new(60u64, 0u32)),
            )
    }
}
