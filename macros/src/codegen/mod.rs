//! The expansion: planned from top to bottom, then emitted from bottom to top.
//!
//! In the order of reading: `fragment` is what layers pass to each other, `layer` what each of them is, `context` what each sees of the rest,
//! `plan` how that is decided, `compose` the driver. The other modules are what several attributes share.
//!
//! One expansion, phase by phase, of `concurrency_limit(8)` above `circuit_breaker` above `timeout(patience)`, on
//! `async fn get(id: Id, patience: Duration)`. The plan: layer 0 waits, and nothing below it reads `id` in its turn, so it pins the body.
//!
//! ```text
//! '__concurrency_limit_0: {                         // layer 0, Admission::around
//!     let __limiter_0 = ..;                         // its object
//!     let (__body_0,) = {                           // Context::before_wait: the body, with the arguments that it takes along
//!         let id = id;
//!         let __body_0 = async move { .. id .. };   // Fragment::prelude, of Context::leaf
//!         (__body_0,)                               // Fragment::captures
//!     };
//!     let __place_0; let mut __permit_1;            // the guards (Fragment::guard), dropped after the body
//!     let mut __body_0 = pin!(Body::new(__body_0));
//!     __place_0 = ..;                               // the turn of layer 0: it waits
//!     let __outcome = '__circuit_breaker_1: {       // Fragment::expr of layer 1, in its turn
//!         __permit_1 = ..;
//!         let __outcome = {                         // Fragment::expr of layer 2
//!             let __limit_2: Duration = patience;   // its option, evaluated in its turn: Context::bind_option
//!             let mut __deadline_2 = Deadline::new(__limit_2, ..);
//!             match '__timeout_2: {
//!                 // Context::await_wrapped: every wrapper of the layers above, outermost first, and the way out of each
//!                 Ok(match __permit_1.state.watch(within(&mut __deadline_2, __body_0.as_mut())).await {
//!                     Ok(value) => value,
//!                     Err(reason) => { Body::clear(__body_0.as_mut()); break '__timeout_2 Err(reason) }
//!                 })
//!             } { Ok(value) => value, Err(expired) => rejection }
//!         };
//!         __permit_1.record_outcome(..); __outcome
//!     };
//!     __place_0.record_outcome(..); __outcome
//! }
//! ```
//!
//! Rules for a layer: a local that must outlive the body is a [guard](fragment::Fragment::guard); what it awaits goes through
//! [`await_wrapped`](context::Context::await_wrapped); an option, or a call of a closure that the user wrote, through
//! [`evaluate`](context::Context::evaluate), so that it is inside of everything above; a way out that leaves the body behind drops it
//! first ([`drop_body`](context::Context::drop_body)).

pub(crate) mod admission;
pub(crate) mod body;
pub(crate) mod bounds;
pub(crate) mod clones;
pub(crate) mod compose;
pub(crate) mod context;
pub(crate) mod fragment;
pub(crate) mod instrument;
pub(crate) mod keyed;
pub(crate) mod layer;
pub(crate) mod output;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod rejection;
pub(crate) mod spawned;
