async fn read(path: PathBuf, patience: Duration) -> io::Result<String> {
    #[timeout(__taken)]
    const _: () = ();
    ::steadfast::__steadfast_enter!(
        __STEADFAST_SITE, seen, "read", [("async_cached", ""), ("timeout", "patience")]
    );
    let returned = {
        'cached_1: {
            let (body_5, limit_6, shape_3, turn) = {
                let path = path;
                let patience = patience;
                let shape_3 = ::steadfast::__private::cache::Kind::<
                    io::Result<String>,
                >::new()
                    .shape();
                let fit = ::steadfast::__private::Met
                    .and(::steadfast::__private::cache::ask_argument::<PathBuf, _>())
                    .and(::steadfast::__private::cache::ask_argument::<Duration, _>())
                    .and(::steadfast::__private::cache::ask_value(&shape_3));
                let shape_3 = fit.pass(shape_3);
                let owned = ::steadfast::__private::cache::Owned {
                    key: || (
                        ::core::clone::Clone::clone(fit.pass(&path)),
                        ::core::clone::Clone::clone(fit.pass(&patience)),
                    ),
                    tags: ::steadfast::__private::cache::Tags::none,
                };
                let store: &::steadfast::Cache<_, _> = {
                    static __STEADFAST_SLOT: ::steadfast::__private::cache::Slot = ::steadfast::__private::cache::Slot::new();
                    ::steadfast::__private::cache::Types::of_call(&owned, shape_3)
                        .cache(&__STEADFAST_SLOT, || (), |settings| settings)
                };
                let cache_2 = fit.pass(store);
                ::steadfast::__steadfast_attach!(__STEADFAST_SITE, cache_2);
                let mode = ::steadfast::__private::cache::Mode {
                    refresh: false,
                    single_flight: true,
                };
                let turn = match ::steadfast::__private::cache::begin(
                    cache_2,
                    fit.pass(&(&path, &patience)),
                    owned,
                    shape_3,
                    mode,
                ) {
                    ::steadfast::__private::cache::Begin::Hit(out) => break 'cached_1 out,
                    ::steadfast::__private::cache::Begin::Miss(turn) => turn,
                    ::steadfast::__private::cache::Begin::Recursion => {
                        let refusal = ::steadfast::__private::Refusal::<
                            io::Result<String>,
                        >::new()
                            .refuse(::steadfast::__private::cache::recursion("read"));
                        break 'cached_1 refusal;
                    }
                };
                let limit_6: ::core::time::Duration = patience;
                let body_5 = async move {
                    if let ::core::option::Option::Some(returned) = ::core::option::Option::None::<
                        io::Result<String>,
                    > {
                        let _ = &path;
                        return returned;
                    }
                    ::steadfast::__steadfast_chaos!(
                        asynchronous "read" error::steadfast::__private::Refusal:: <
                        io::Result < String > > ::new().refuse(error)
                    );
                    tokio::fs::read_to_string(path).await
                };
                (body_5, limit_6, shape_3, turn)
            };
            let mut deadline_7 = ::steadfast::__private::timeout::Deadline::new(
                limit_6,
                {
                    static __STEADFAST_DEADLINES: ::steadfast::__private::timeout::Deadlines = ::steadfast::__private::timeout::Deadlines::new();
                    &__STEADFAST_DEADLINES
                },
            );
            let lead_4;
            let mut body_5 = ::core::pin::pin!(
                ::steadfast::__private::stack::Body::new(body_5)
            );
            lead_4 = match turn {
                ::steadfast::__private::cache::Turn::Lead(lead) => lead,
                ::steadfast::__private::cache::Turn::Wait(waiter) => {
                    match ::steadfast::__steadfast_watched!(seen, waiter.wait(shape_3))
                        .await
                    {
                        ::steadfast::__private::cache::Waited::Done(out) => {
                            ::steadfast::__private::stack::Body::leave(body_5.as_mut());
                            break 'cached_1 out;
                        }
                        ::steadfast::__private::cache::Waited::Lead(lead) => lead,
                    }
                }
            };
            let out = match 'timeout_9: {
                ::core::result::Result::Ok(
                    match ::steadfast::__steadfast_watched!(
                        seen, lead_4.scope(::steadfast::__private::timeout::within(& mut
                        deadline_7, body_5.as_mut()))
                    )
                        .await
                    {
                        ::core::result::Result::Ok(value) => value,
                        ::core::result::Result::Err(reason) => {
                            let cut = ::core::result::Result::Err(reason);
                            ::steadfast::__private::stack::Body::leave(body_5.as_mut());
                            break 'timeout_9 cut;
                        }
                    },
                )
            } {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(expired_8) => {
                    <io::Result<
                        String,
                    > as ::steadfast::__private::timeout::refusal::Place<_>>::place()
                        .refuse(
                            <_ as ::steadfast::__private::timeout::refusal::Carry<
                                _,
                            >>::carry(expired_8.error("read", limit_6)),
                        )
                }
            };
            let lifetime = ::steadfast::__private::cache::Lifetime::new();
            lead_4.land(shape_3, out, lifetime)
        }
    };
    ::steadfast::__steadfast_leave!(
        seen, ::steadfast::__private::Verdict:: < io::Result < String > > ::new()
        .failed(& returned)
    );
    returned
}
