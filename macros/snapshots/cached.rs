async fn read(path: PathBuf, patience: Duration) -> io::Result<String> {
    const _: () = ::steadfast::__private::version_0_1();
    #[timeout(__taken)]
    const _: () = ();
    ::steadfast::__steadfast_enter!(
        __STEADFAST_SITE, __seen, "read", [("async_cached", ""), ("timeout", "patience")]
    );
    let __returned = '__cached_0: {
        let (__body_0, __shape_0, __turn) = {
            let path = path;
            let __shape_0 = ::steadfast::__private::cache::KindOf::<
                io::Result<String>,
            >::new()
                .kind();
            let __fit = ::steadfast::__private::Satisfied
                .and(::steadfast::__private::cache::assert_argument::<PathBuf, _>())
                .and(::steadfast::__private::cache::assert_argument::<Duration, _>())
                .and(::steadfast::__private::cache::assert_value(&__shape_0));
            let __shape_0 = __fit.gate(__shape_0);
            let __owned = ::steadfast::__private::cache::Owned {
                key: || (
                    ::core::clone::Clone::clone(__fit.gate(&path)),
                    ::core::clone::Clone::clone(__fit.gate(&patience)),
                ),
                tags: ::steadfast::__private::cache::Tags::none,
            };
            let __store: &::steadfast::Cache<_, _> = {
                static __STEADFAST_SLOT: ::steadfast::__private::cache::CacheSlot = ::steadfast::__private::cache::CacheSlot::new();
                ::steadfast::__private::cache::Types::of_call(&__owned, __shape_0)
                    .cache(&__STEADFAST_SLOT, || (), |__settings| __settings)
            };
            let __cache_0 = __fit.gate(__store);
            ::steadfast::__steadfast_attach!(__STEADFAST_SITE, __cache_0);
            let __mode = ::steadfast::__private::cache::Mode {
                refresh: false,
                single_flight: true,
            };
            let __turn = match ::steadfast::__private::cache::begin(
                __cache_0,
                __fit.gate(&(&path, &patience)),
                __owned,
                __shape_0,
                __mode,
            ) {
                ::steadfast::__private::cache::Begin::Hit(__out) => {
                    break '__cached_0 __out;
                }
                ::steadfast::__private::cache::Begin::Miss(__turn) => __turn,
                ::steadfast::__private::cache::Begin::Recursion => {
                    let __refusal = ::steadfast::__private::Rejection::<
                        io::Result<String>,
                    >::new()
                        .reject(
                            ::steadfast::__private::rejected(
                                &::steadfast::__private::Origin {
                                    function: "read",
                                    module: ::core::module_path!(),
                                },
                                ::steadfast::__private::cache::recursion("read"),
                                false,
                            ),
                        );
                    break '__cached_0 __refusal;
                }
            };
            let __body_0 = async move {
                if let ::core::option::Option::Some(__returned) = ::core::option::Option::None::<
                    io::Result<String>,
                > {
                    let _ = &path;
                    return __returned;
                }
                ::steadfast::__steadfast_chaos!(
                    asynchronous "read" __error::steadfast::__private::Rejection:: <
                    io::Result < String > > ::new()
                    .reject(::steadfast::__private::rejected(&
                    ::steadfast::__private::Origin { function : "read", module :
                    ::core::module_path!() }, __error, false))
                );
                tokio::fs::read_to_string(path).await
            };
            (__body_0, __shape_0, __turn)
        };
        let __lead_0;
        let mut __body_0 = ::core::pin::pin!(
            ::steadfast::__private::body::Body::new(__body_0)
        );
        __lead_0 = match __turn {
            ::steadfast::__private::cache::Role::Leader(__lead) => __lead,
            ::steadfast::__private::cache::Role::Waiter(__waiter) => {
                match ::steadfast::__steadfast_watched!(__seen, __waiter.wait(__shape_0))
                    .await
                {
                    ::steadfast::__private::cache::Waited::Done(__out) => {
                        ::steadfast::__private::body::Body::clear(__body_0.as_mut());
                        break '__cached_0 __out;
                    }
                    ::steadfast::__private::cache::Waited::Leader(__lead) => __lead,
                }
            }
        };
        let __out = {
            let __limit_1: ::core::time::Duration = patience;
            let mut __deadline_1 = ::steadfast::__private::timeout::Deadline::new(
                __limit_1,
                {
                    static __STEADFAST_DEADLINES: ::steadfast::__private::timeout::SharedTimers = ::steadfast::__private::timeout::SharedTimers::new();
                    &__STEADFAST_DEADLINES
                },
            );
            match '__timeout_1: {
                ::core::result::Result::Ok(
                    match ::steadfast::__steadfast_watched!(
                        __seen, __lead_0.scope(::steadfast::__private::timeout::within(&
                        mut __deadline_1, __body_0.as_mut()))
                    )
                        .await
                    {
                        ::core::result::Result::Ok(__value) => __value,
                        ::core::result::Result::Err(__reason) => {
                            let __cut = ::core::result::Result::Err(__reason);
                            ::steadfast::__private::body::Body::clear(__body_0.as_mut());
                            break '__timeout_1 __cut;
                        }
                    },
                )
            } {
                ::core::result::Result::Ok(__value) => __value,
                ::core::result::Result::Err(__expired_1) => {
                    <io::Result<
                        String,
                    > as ::steadfast::__private::timeout::rejection::ErrorSlot<
                        _,
                    >>::slot()
                        .reject(
                            <_ as ::steadfast::__private::timeout::rejection::Represent<
                                _,
                            >>::represent(
                                ::steadfast::__private::rejected(
                                    &::steadfast::__private::Origin {
                                        function: "read",
                                        module: ::core::module_path!(),
                                    },
                                    __expired_1.error("read", __limit_1),
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
        __seen, ::steadfast::__private::Verdict:: < io::Result < String > > ::new()
        .failed(& __returned)
    );
    __returned
}
