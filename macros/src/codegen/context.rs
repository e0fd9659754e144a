//! What a layer sees of the rest of the stack while it expands: decided by the [plan](super::plan), and only read.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, FnArg, Lifetime};

use super::fragment::{During, Fragment, Wrapper};
use crate::item::function::{Function, self_ident};
use crate::item::names;
use crate::item::parameters::{Binding, is_shared_reference};
use crate::item::tokens::{self, local};
use crate::parse::duration::Duration;
use crate::parse::expression::runs_code;

/// How the body takes the arguments along.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Capture {
    /// By value, in one future.
    #[default]
    Move,
    /// By reference, since it runs again or something else needs them later.
    Borrow,
}

/// What the expansion is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To run.
    Function,
    /// For the names next to a function that has errors.
    Names,
}

/// Where the layers are, below another one, that tell a retry when a rejected call is to come again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hints {
    /// There are none.
    None,
    /// In the same task.
    Here,
    /// At least one is on another task.
    OnTask,
}

/// The function of a batch, as the layer that makes the batch sees it.
#[derive(Clone)]
pub(crate) struct Batch<'f> {
    pub(crate) function: &'f Function,
    /// The arguments that layers below bind again.
    pub(crate) rebound: Vec<Ident>,
}

/// One layer's view of the stack. What is above it is what is above it in the same future: a layer that spawns, or races attempts, starts
/// a new one.
#[derive(Clone)]
pub(crate) struct Context<'f> {
    pub(crate) function: &'f Function,
    /// The root of the library: `::steadfast`.
    pub(crate) root: TokenStream,
    /// `::steadfast::__private`
    pub(crate) private: TokenStream,
    pub(crate) purpose: Purpose,
    /// The number of the layer, which its names end in.
    pub(crate) index: usize,
    /// The name of the attribute, as written.
    pub(crate) span: Span,
    /// The name of the closest attribute above that runs what is below it more than once.
    pub(crate) rerun_by: Option<Span>,
    /// In force here, outermost first.
    pub(crate) wrappers: Vec<Wrapper>,
    /// The deadlines among those.
    pub(crate) deadlines: Vec<Ident>,
    /// The guards of the layers above, outermost first, that were declared in front of a pinned body; each with the number of wrappers above
    /// its layer.
    pub(crate) guards: Vec<(usize, Ident)>,
    /// The counts of attempts of the retries above.
    pub(crate) attempts: Vec<Ident>,
    /// Where a rejection stores the delay it requests, for a retry above.
    pub(crate) hint: Option<Ident>,
    /// Whether a layer above asks the return type for a representation of its errors. What is missing is reported once, for that layer.
    pub(crate) rejects_above: bool,
    pub(crate) capture: Capture,
    /// Whether this is the layer that makes the body, with the arguments in it, before it waits, so that the call does not carry the
    /// arguments over the wait next to the space for the body.
    pub(crate) pins: bool,
    /// The body, if this layer or one above has pinned it.
    pub(crate) pinned: Option<Ident>,
    /// The arguments that an option below names in its turn, behind the wait of this layer.
    pub(crate) read_below: Vec<Ident>,
    /// How what is below takes the arguments from the task that this layer spawns: if it borrows them, the task must hold them.
    pub(crate) capture_from_task: Capture,
    /// Whether a layer below takes the arguments to a task or a thread of its own, or makes a batch of calls.
    pub(crate) moves_below: bool,
    /// Whether a layer below tells a retry when a rejected call is to come again.
    pub(crate) hints: Hints,
    /// The arguments that an option of a layer above names after the body has begun: what needs such an argument for itself takes a clone.
    pub(crate) deferred_above: Vec<Ident>,
    /// The arguments that layers below bind again, which is where their `mut` belongs.
    pub(crate) rebound_below: Vec<Ident>,
    /// The function of the batch, of the layer that makes one.
    pub(crate) batch: Option<Batch<'f>>,
}

impl<'f> Context<'f> {
    pub(crate) fn new(function: &'f Function, root: TokenStream, purpose: Purpose) -> Self {
        Self {
            function,
            private: quote!(#root::__private),
            root,
            purpose,
            index: 0,
            span: Span::call_site(),
            rerun_by: None,
            wrappers: Vec::new(),
            deadlines: Vec::new(),
            guards: Vec::new(),
            attempts: Vec::new(),
            hint: None,
            rejects_above: false,
            capture: Capture::Move,
            pins: false,
            pinned: None,
            read_below: Vec::new(),
            capture_from_task: Capture::Move,
            moves_below: false,
            hints: Hints::None,
            deferred_above: Vec::new(),
            rebound_below: Vec::new(),
            batch: None,
        }
    }

    /// A name that no other layer has.
    pub(crate) fn name(&self, meaning: &str) -> Ident {
        local(&format!("{meaning}_{}", self.index))
    }

    /// A label that no other layer has.
    pub(crate) fn label(&self, meaning: &str) -> Lifetime {
        Lifetime::new(&format!("'{}", self.name(meaning)), Span::mixed_site())
    }

    /// The name of the function, as the library reports it.
    pub(crate) fn function_name(&self) -> TokenStream {
        self.function.reported_name()
    }

    /// The function, as events name it.
    pub(crate) fn origin(&self) -> TokenStream {
        let (private, name) = (&self.private, self.function_name());
        // A constant, and so a static one wherever it is referred to.
        quote_spanned!(Span::mixed_site()=> &#private::Origin { function: #name, module: ::core::module_path!() })
    }

    /// `move`, if the body takes the arguments along.
    pub(crate) fn move_token(&self) -> TokenStream {
        match self.capture {
            Capture::Move => quote!(move),
            Capture::Borrow => TokenStream::new(),
        }
    }

    /// The same, for what is written into a task of the layer's own.
    pub(crate) fn on_task(&self) -> Self {
        Self { wrappers: Vec::new(), deadlines: Vec::new(), guards: Vec::new(), attempts: Vec::new(), pinned: None, ..self.clone() }
    }

    /// The same, for what is written in front of the body that this layer makes.
    pub(crate) fn before_body(&self) -> Self {
        Self { pinned: self.pinned.clone().filter(|_| !self.pins), ..self.clone() }
    }

    /// Awaits `future` within all wrappers that are in force here.
    pub(crate) fn await_wrapped(&self, future: &TokenStream) -> TokenStream {
        let wrapped = self.wrappers.iter().rev().fold(future.clone(), |future, wrapper| wrapper.around(&future));
        let labels = self.wrappers.iter().enumerate().filter_map(|(at, wrapper)| Some((at, wrapper.breaks_to.as_ref()?)));
        self.unwrap_or_leave(quote!(#wrapped.await), labels)
    }

    /// Takes an option apart from what it is evaluated within: `remaining()` is that of the deadlines above, and a panic is one below a
    /// `finally`. `value` is an expression that runs code of the user's and does not await.
    pub(crate) fn evaluate(&self, value: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let evaluated = self.wrappers.iter().rev().fold(value.clone(), |value, wrapper| match &wrapper.during {
            Some(During::Value(during) | During::Result(during)) => quote_spanned!(span=> #during(|| #value)),
            None => value,
        });
        let results = self.wrappers.iter().enumerate().filter(|(_, wrapper)| matches!(wrapper.during, Some(During::Result(_))));
        self.unwrap_or_leave(evaluated, results.filter_map(|(at, wrapper)| Some((at, wrapper.breaks_to.as_ref()?))))
    }

    /// The same of `value`, which is made of `written`, if that runs code of the user's.
    pub(crate) fn evaluate_option(&self, written: &Expr, value: &TokenStream) -> TokenStream {
        if runs_code(written) { self.evaluate(value) } else { value.clone() }
    }

    /// Starts work on another task, which takes along the attempt that it is part of.
    pub(crate) fn within_attempt(&self, start: TokenStream) -> TokenStream {
        if self.attempts.is_empty() { start } else { self.evaluate(&start) }
    }

    /// The call that a layer which makes attempts is part of, if one above does so as well.
    pub(crate) fn call(&self) -> Option<TokenStream> {
        let private = &self.private;
        self.rerun_by.map(|_| self.evaluate(&quote_spanned!(Span::mixed_site()=> #private::Call::current())))
    }

    /// The value of one `Result` in another, or out to the labels, outermost first.
    fn unwrap_or_leave<'l>(&self, value: TokenStream, labels: impl Iterator<Item = (usize, &'l Lifetime)>) -> TokenStream {
        let (span, drop_body) = (Span::mixed_site(), self.drop_body());
        labels.fold(value, |value, (at, label)| {
            let left = self.guards.iter().rev().filter(|(above, _)| *above > at).map(|(_, guard)| guard);
            quote_spanned! {span=>
                match #value {
                    ::core::result::Result::Ok(__value) => __value,
                    // A name, not a path: macros that parse with syn 2 read `break 'label ::path` as a label in front of a block.
                    ::core::result::Result::Err(__reason) => {
                        let __cut = ::core::result::Result::Err(__reason);
                        #drop_body
                        #(::core::mem::drop(#left);)*
                        break #label __cut
                    }
                }
            }
        })
    }

    /// Awaits `future` within those wrappers only that cannot cut the wait short.
    pub(crate) fn await_wrapped_to_the_end(&self, future: &TokenStream) -> TokenStream {
        let wrappers = self.wrappers.iter().rev().filter(|wrapper| wrapper.breaks_to.is_none());
        let wrapped = wrappers.fold(future.clone(), |future, wrapper| wrapper.around(&future));
        quote!(#wrapped.await)
    }

    /// The innermost expression of a future: awaits `future`, which has the arguments in it.
    pub(crate) fn leaf(&self, future: &TokenStream) -> Fragment {
        let Some(body) = &self.pinned else { return Fragment::of(self.await_wrapped(future)) };
        let span = Span::mixed_site();
        let mut fragment = Fragment::of(self.await_wrapped(&quote_spanned!(span=> #body.as_mut())));
        fragment.prelude = quote_spanned!(span=> let #body = #future;);
        fragment.captures.push(body.clone());
        fragment
    }

    /// Drops the body if it is pinned: to be written in front of every way out that leaves it behind.
    pub(crate) fn drop_body(&self) -> TokenStream {
        let private = &self.private;
        self.pinned.as_ref().map(|body| quote!(#private::body::Body::clear(#body.as_mut());)).unwrap_or_default()
    }

    /// Binds a local that must outlive the body. See [`Fragment::guard`].
    pub(crate) fn guard(&self, inner: &mut Fragment, name: &Ident, init: &TokenStream) -> TokenStream {
        inner.guard(self.pinned.is_some(), None, name, init)
    }

    /// The same, for one that notes something while the body runs.
    pub(crate) fn guard_mut(&self, inner: &mut Fragment, name: &Ident, init: &TokenStream) -> TokenStream {
        inner.guard(self.pinned.is_some(), Some(syn::Token![mut](Span::mixed_site())), name, init)
    }

    /// Statements that bind a duration that is no literal.
    pub(crate) fn bind_duration(&self, written: &Duration, name: &Ident) -> TokenStream {
        let value = self.evaluate_option(written.written(), &written.to_token_stream());
        quote_spanned!(Span::mixed_site()=> let #name: ::core::time::Duration = #value;)
    }

    /// Binds the value of an option, in its turn. What only names an argument that a pinned body takes along is bound with the body.
    pub(crate) fn bind_option(&self, inner: &mut Fragment, name: &Ident, written: &Expr, bind: TokenStream) -> TokenStream {
        if self.pins || self.pinned.is_none() || self.taken_by(written).is_empty() {
            return bind;
        }
        let prelude = std::mem::take(&mut inner.prelude);
        inner.prelude = quote!(#bind #prelude);
        inner.captures.push(name.clone());
        TokenStream::new()
    }

    /// The statements of a layer that waits before it runs what is below: `look` looks at the arguments and binds `captures`; behind it
    /// the body is pinned, if this is the layer that [does so](Self::pins). `named` says which arguments `look` mentions.
    ///
    /// ```text
    /// Output: let (captures,) = { let first = first; let last = last; look prelude (captures,) }; let guard; let mut body = pin!(..);
    /// ```
    ///
    /// A local that was borrowed takes its space in the future until its scope ends, even after it has been moved; hence the scope, in which
    /// the arguments are bound again.
    pub(crate) fn before_wait(
        &self,
        inner: &mut Fragment,
        look: &TokenStream,
        captures: Vec<Ident>,
        named: &dyn Fn(&Ident) -> bool,
    ) -> TokenStream {
        let Some(body) = self.pinned.as_ref().filter(|_| self.pins) else { return look.clone() };
        let (span, private) = (Span::mixed_site(), &self.private);
        let prelude = std::mem::take(&mut inner.prelude);
        let captures: Vec<Ident> = std::mem::take(&mut inner.captures).into_iter().chain(captures).collect();
        let guards = inner.declare_guards();
        let rebound = self.function.parameters.bindings.iter().filter(|binding| self.is_rebound(&binding.ident, named));
        let rebind = rebound.map(|binding| {
            let (Binding { ident, cfgs, .. }, mutability) = (binding, self.mutability(binding));
            quote_spanned!(span=> #(#cfgs)* let #mutability #ident = #ident;)
        });
        quote_spanned! {span=>
            let (#(#captures,)*) = { #(#rebind)* #look #prelude (#(#captures,)*) };
            #guards
            let mut #body = ::core::pin::pin!(#private::body::Body::new(#body));
        }
    }

    /// The `mut` of an argument that this layer binds again.
    pub(crate) fn mutability(&self, binding: &Binding) -> Option<syn::Token![mut]> {
        binding.mutability.filter(|_| !self.rebound_below.contains(&binding.ident))
    }

    /// Whether [`before_wait`](Self::before_wait) binds the argument again.
    pub(crate) fn rebinds(&self, ident: &Ident, named: &dyn Fn(&Ident) -> bool) -> bool {
        self.pins && self.is_rebound(ident, named)
    }

    fn is_rebound(&self, ident: &Ident, named: &dyn Fn(&Ident) -> bool) -> bool {
        let captured = || self.function.parameters.find(ident).is_some_and(|binding| self.is_captured(binding));
        *ident != "self" && (captured() || (named(ident) && !self.read_below.contains(ident)))
    }

    /// Whether the body mentions the name.
    pub(crate) fn body_mentions(&self, name: &Ident) -> bool {
        tokens::mentions(&self.function.body.stream(), name)
    }

    /// Whether the body takes the argument along. What only an option mentions stays outside, where that may look at it.
    pub(crate) fn is_captured(&self, binding: &Binding) -> bool {
        binding.is_ignored() || binding.is_taken_unmentioned() || self.body_mentions(&binding.ident)
    }

    /// The arguments that are gone once something has taken them.
    pub(crate) fn by_value(&self) -> impl Iterator<Item = Ident> {
        let parameters = &self.function.parameters;
        let bindings = parameters.bindings.iter().filter(|binding| !binding.is_shared_reference());
        let receiver = parameters.receiver.as_ref().filter(|receiver| !is_shared_reference(receiver)).map(self_ident);
        bindings.map(|binding| binding.ident.clone()).chain(receiver)
    }

    /// The arguments that the expression names and the body takes along: those are gone once the body is made.
    pub(crate) fn taken_by(&self, expression: &Expr) -> Vec<Ident> {
        let is_taken = |name: &Ident| match self.function.parameters.find(name) {
            Some(binding) => self.is_captured(binding),
            None => self.body_mentions(name),
        };
        self.by_value().filter(|name| is_taken(name) && names::takes(expression, name)).collect()
    }

    /// The declarations of the arguments of the batch's function for which `chosen` holds.
    pub(crate) fn batch_arguments(&self, chosen: &dyn Fn(&FnArg) -> bool) -> TokenStream {
        let Some(Batch { function, rebound }) = &self.batch else { return TokenStream::new() };
        let mut signature = function.signature.clone();
        crate::item::parameters::strip_mut(&mut signature, &|ident| rebound.contains(ident));
        let arguments = signature.inputs.iter().filter(|input| chosen(input));
        quote!(#(#arguments),*)
    }
}
