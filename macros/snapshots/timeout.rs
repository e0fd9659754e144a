/// Documented.
pub async fn greeting(&self, name: &str, mut count: u32) -> String {
    ::steadfast::__steadfast_enter!(
        __STEADFAST_SITE, seen, "greeting", [("timeout",
        "2s, or_else = |error| error.to_string()")]
    );
    let returned = {
        let limit_1: ::core::time::Duration = ::core::time::Duration::new(2u64, 0u32);
        let mut deadline_2 = ::steadfast::__private::timeout::Deadline::new(
            limit_1,
            {
                static __STEADFAST_DEADLINES: ::steadfast::__private::timeout::Deadlines = ::steadfast::__private::timeout::Deadlines::new();
                &__STEADFAST_DEADLINES
            },
        );
        match 'timeout_4: {
            ::core::result::Result::Ok(
                match ::steadfast::__steadfast_watched!(
                    seen, ::steadfast::__private::timeout::within(& mut deadline_2, async
                    move { if let ::core::option::Option::Some(returned) =
                    ::core::option::Option::None:: < String > { let _ = & count; let _ =
                    & name; let _ = & self; return returned; }
                    ::steadfast::__steadfast_chaos!(asynchronous "greeting"
                    error::steadfast::__private::Refusal:: < String > ::new()
                    .refuse(error)); count += 1; self.greet(name, count). await })
                )
                    .await
                {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        let cut = ::core::result::Result::Err(reason);
                        break 'timeout_4 cut;
                    }
                },
            )
        } {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(expired_3) => {
                ::steadfast::__private::refuse_with::<
                    String,
                >(
                    expired_3.error("greeting", ::core::time::Duration::new(2u64, 0u32)),
                    |error| error.to_string(),
                )
            }
        }
    };
    ::steadfast::__steadfast_leave!(
        seen, ::steadfast::__private::Verdict:: < String > ::new().failed(& returned)
    );
    returned
}
