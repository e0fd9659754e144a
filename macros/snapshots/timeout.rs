/// Documented.
pub async fn greeting(&self, name: &str, mut count: u32) -> String {
    const _: () = ::steadfast::__private::version_0_1();
    ::steadfast::__steadfast_enter!(
        __STEADFAST_SITE, __seen, "greeting", [("timeout",
        "2s, or_else = |error| error.to_string()")]
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
            ::core::result::Result::Ok(
                match ::steadfast::__steadfast_watched!(
                    __seen, ::steadfast::__private::timeout::within(& mut __deadline_0,
                    async move { if let ::core::option::Option::Some(__returned) =
                    ::core::option::Option::None:: < String > { let _ = & count; let _ =
                    & name; let _ = & self; return __returned; }
                    ::steadfast::__steadfast_chaos!(asynchronous "greeting"
                    __error::steadfast::__private::Rejection:: < String > ::new()
                    .reject(::steadfast::__private::rejected(&
                    ::steadfast::__private::Origin { function : "greeting", module :
                    ::core::module_path!() }, __error, false))); count += 1; self
                    .greet(name, count). await })
                )
                    .await
                {
                    ::core::result::Result::Ok(__value) => __value,
                    ::core::result::Result::Err(__reason) => {
                        let __cut = ::core::result::Result::Err(__reason);
                        break '__timeout_0 __cut;
                    }
                },
            )
        } {
            ::core::result::Result::Ok(__value) => __value,
            ::core::result::Result::Err(__expired_0) => {
                ::steadfast::__private::reject_with::<
                    String,
                >(
                    ::steadfast::__private::rejected(
                        &::steadfast::__private::Origin {
                            function: "greeting",
                            module: ::core::module_path!(),
                        },
                        __expired_0
                            .error("greeting", ::core::time::Duration::new(2u64, 0u32)),
                        false,
                    ),
                    |error| error.to_string(),
                )
            }
        }
    };
    ::steadfast::__steadfast_leave!(
        __seen, ::steadfast::__private::Verdict:: < String > ::new().failed(& __returned)
    );
    __returned
}
