//! One straight-line body for a whole stack.
//!
//! Each layer writes statements around what the layers below it write; there is one future only, the body, and it takes the arguments
//! along. What limits or watches everything below it (a deadline) is a [`Wrapper`]: it is wrapped around each thing that is awaited
//! below, instead of around a future that would hold all of it.

use std::cell::{Cell, RefCell};

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Lifetime};

use crate::codegen::instrument;
use crate::codegen::layer::Layer;
use crate::item::function::{FnKind, Function, self_ident};
use crate::item::parameters::{Binding, is_shared_reference, strip_mut};
use crate::item::tokens::{self, local, mixed_site, respan, with_braces};
use crate::item::types;
use crate::parse::expression::is_static;

/// What a layer and all below it wrote.
#[derive(Default)]
pub(crate) struct Fragment {
    /// Statements that look at the arguments, before the body takes them along. They await nothing.
    pub(crate) prelude: TokenStream,
    /// The names that those statements bind for what follows.
    pub(crate) captures: Vec<Ident>,
    /// Statements that do not look at the arguments.
    pub(crate) setup: TokenStream,
    /// An expression of the function's return type.
    pub(crate) expr: TokenStream,
}

impl Fragment {
    /// As statements with a value.
    pub(crate) fn tokens(&self) -> TokenStream {
        let Self { prelude, setup, expr, .. } = self;
        quote!(#prelude #setup #expr)
    }
}

/// Something around everything that is awaited below a layer.
pub(crate) struct Wrapper {
    /// Writes the wrapped future.
    pub(crate) wrap: Box<dyn Fn(&TokenStream) -> TokenStream>,
    /// How the guard cuts the wait short, if it can: the wrapped future yields a `Result`, and its `Err` leaves to this label.
    pub(crate) breaks_to: Option<Lifetime>,
}

/// How the body takes the arguments along.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Capture {
    /// By value, in one future.
    Move,
    /// By reference, since it runs again or something else needs them later.
    Borrow,
}

/// The state of one expansion.
pub(crate) struct Context<'f> {
    pub(crate) function: &'f Function,
    /// The root of the library: `::steadfast`.
    pub(crate) root: TokenStream,
    /// `::steadfast::__private`
    pub(crate) private: TokenStream,
    wrappers: Vec<Wrapper>,
    /// The deadlines among the guards.
    deadlines: Vec<Ident>,
    /// Where a retry above wants to be told what a refusal asks for, and whether there is one that can.
    refused: Option<Ident>,
    refuses: Cell<bool>,
    /// The counts of attempts of the retries above, within the same future.
    attempts: Vec<Ident>,
    capture: Capture,
    /// What is declared in front of the pinned body.
    held: RefCell<Vec<TokenStream>>,
    /// The pinned body, where a layer asked for it to be made before the layer awaits something itself.
    pinned: Option<Ident>,
    names: usize,
    /// Whether the body is a job on another thread.
    offloads: bool,
    /// What stands below the layer that is being written.
    below: Below,
    /// Whether the attempts of a hedge are given arguments of their own.
    hedge_clones: bool,
    /// Whether the arguments are bound again in front of the body.
    encloses: bool,
    /// What stands below a layer that makes one batch of several calls.
    batch: Option<Batch<'f>>,
    pub(crate) purpose: Purpose,
}

/// What is written for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To run.
    Function,
    /// For the names that stand beside a function that has errors.
    Names,
}

/// What a layer may have to know of those below it.
#[derive(Clone, Copy, Default)]
struct Below {
    /// One of them looks at the arguments when its turn comes, and not before.
    reads_args_late: bool,
    /// One of them takes the arguments to another task.
    spawns: bool,
}

/// The function of a batch, and how its layers treat it.
#[derive(Clone, Copy)]
struct Batch<'f> {
    function: &'f Function,
    layers: &'f [&'f dyn Layer],
    capture: Capture,
}

/// What a layer does before what is below it runs, and after.
pub(crate) struct Admission<'a> {
    /// Where a call leaves to that is not let through.
    pub(crate) label: &'a Lifetime,
    /// Statements that look at the arguments, and the names that they bind.
    pub(crate) look: TokenStream,
    pub(crate) captures: Vec<Ident>,
    /// The arguments that those mention.
    pub(crate) named: &'a dyn Fn(&Ident) -> bool,
    /// Writes the statements that let a call through. They may await.
    pub(crate) enter: &'a dyn Fn(&Context<'_>) -> TokenStream,
    /// Writes what becomes of the value of what is below.
    pub(crate) leave: &'a dyn Fn(TokenStream) -> TokenStream,
}

impl<'f> Context<'f> {
    pub(crate) fn new(function: &'f Function, layers: &[&dyn Layer], root: TokenStream, offloads: bool) -> Self {
        let private = quote!(#root::__private);
        let capture = capture(function, layers);
        Self {
            function,
            root,
            private,
            wrappers: Vec::new(),
            deadlines: Vec::new(),
            refused: None,
            refuses: Cell::new(false),
            attempts: Vec::new(),
            capture,
            pinned: None,
            held: RefCell::default(),
            names: 0,
            offloads,
            below: Below::default(),
            hedge_clones: false,
            encloses: false,
            batch: None,
            purpose: Purpose::Function,
        }
    }

    /// Says what the lowest layer so far makes a batch for.
    pub(crate) fn serve(&mut self, function: &'f Function, layers: &'f [&'f dyn Layer]) {
        self.batch = Some(Batch { function, layers, capture: capture(function, layers) });
    }

    /// Calls `write` with the function of the batch in the place of that of the caller.
    pub(crate) fn about_batch<R>(&mut self, write: impl FnOnce(&mut Self) -> R) -> Option<R> {
        let batch = self.batch.take()?;
        let function = std::mem::replace(&mut self.function, batch.function);
        let capture = std::mem::replace(&mut self.capture, batch.capture);
        let encloses = std::mem::take(&mut self.encloses);
        let written = write(self);
        (self.function, self.capture, self.encloses) = (function, capture, encloses);
        self.batch = Some(batch);
        Some(written)
    }

    /// Writes what is below a layer that runs it for several callers, on another task: the arguments of that which `differ` from caller to
    /// caller, and the rest.
    pub(crate) fn in_batch(
        &mut self,
        differ: &dyn Fn(&FnArg) -> bool,
        below: &mut dyn FnMut(&mut Self) -> Fragment,
    ) -> (TokenStream, Fragment) {
        let layers = self.batch.map_or(&[][..], |batch| batch.layers);
        let written = self.about_batch(|context| {
            let fragment = context.in_background(below);
            let mut signature = context.function.signature.clone();
            strip_mut(&mut signature, &|ident| layers.iter().any(|layer| layer.rebinds(context, ident)));
            let arguments = signature.inputs.iter().filter(|input| differ(input));
            (quote!(#(#arguments),*), fragment)
        });
        written.unwrap_or_default()
    }

    /// The layers of the stack, outermost first, around the body.
    pub(crate) fn expand(&mut self, layers: &[&dyn Layer]) -> Fragment {
        if let Some((layer, below)) = layers.split_first() {
            self.below = Below {
                reads_args_late: below.iter().any(|layer| layer.reads_args_late()),
                spawns: below.iter().any(|layer| layer.spawns()),
            };
            return layer.expand(self, &mut |context| context.expand(below));
        }
        let (mode, body) = (self.move_token(), self.body("asynchronous"));
        self.leaf(&quote!(async #mode #body))
    }

    /// A name that no other layer has.
    pub(crate) fn name(&mut self, meaning: &str) -> Ident {
        self.names += 1;
        local(&format!("{meaning}_{}", self.names))
    }

    /// A label that no other layer has.
    pub(crate) fn label(&mut self, meaning: &str) -> Lifetime {
        Lifetime::new(&format!("'{}", self.name(meaning)), Span::mixed_site())
    }

    /// Writes what is below a guard.
    pub(crate) fn with_wrapper(&mut self, wrapper: Wrapper, below: &mut dyn FnMut(&mut Self) -> Fragment) -> Fragment {
        self.wrappers.push(wrapper);
        let fragment = below(self);
        self.wrappers.pop();
        fragment
    }

    /// Writes what is below a guard that is a deadline.
    pub(crate) fn with_deadline(
        &mut self,
        deadline: Ident,
        wrapper: Wrapper,
        below: &mut dyn FnMut(&mut Self) -> Fragment,
    ) -> Fragment {
        self.deadlines.push(deadline);
        let fragment = self.with_wrapper(wrapper, below);
        self.deadlines.pop();
        fragment
    }

    /// The deadlines that are in force here, outermost first.
    pub(crate) fn deadlines(&self) -> &[Ident] {
        &self.deadlines
    }

    /// Writes what is below a layer that makes several attempts, counts them in `attempts`, and wants to know what refusals ask for: in the
    /// variable `refused`, if anything below refuses at all.
    pub(crate) fn with_retry_hint(
        &mut self,
        attempts: &Ident,
        refused: &Ident,
        below: &mut dyn FnMut(&mut Self) -> Fragment,
    ) -> (Fragment, bool) {
        let outside = (self.refused.replace(refused.clone()), self.refuses.replace(false));
        self.attempts.push(attempts.clone());
        let fragment = below(self);
        self.attempts.pop();
        self.refused = outside.0;
        let refuses = self.refuses.replace(outside.1);
        (fragment, refuses)
    }

    /// Writes what is below a layer that awaits something before it runs what is below: the body is made, with the arguments in it,
    /// before that wait, and not carried over it next to them.
    ///
    /// Not where a layer below looks at the arguments in its turn: they are carried over the wait then. See [`pins`](Self::pins).
    pub(crate) fn with_pinned_body(&mut self, below: &mut dyn FnMut(&mut Self) -> Fragment) -> Fragment {
        if !self.pins() {
            return below(self);
        }
        self.pinned = Some(self.name("body"));
        let fragment = below(self);
        self.pinned = None;
        fragment
    }

    /// Whether the layer that is being written would be the one for which the body is [made](Self::with_pinned_body) early. To be asked
    /// before what is below is written.
    pub(crate) fn pins(&self) -> bool {
        self.capture == Capture::Move && self.pinned.is_none() && !self.below.reads_args_late
    }

    /// Writes what is below a layer that runs it on another task: the guards of the caller do not reach there.
    pub(crate) fn in_background(&mut self, below: &mut dyn FnMut(&mut Self) -> Fragment) -> Fragment {
        let pinned = self.pinned.take();
        let fragment = self.without_wrappers(below);
        self.pinned = pinned;
        fragment
    }

    /// Writes a layer that may let calls wait before they run what is below.
    ///
    /// ```text
    /// Output: 'label: { look; make the body; enter; leave(run) }
    /// ```
    pub(crate) fn with_admission(&mut self, gate: &Admission<'_>, below: &mut dyn FnMut(&mut Self) -> Fragment) -> Fragment {
        let Admission { label, look, named, enter, leave, .. } = gate;
        let pins = self.pins();
        let mut entered = TokenStream::new();
        let mut write = |context: &mut Self| {
            entered = enter(context);
            below(context)
        };
        let fragment = self.with_pinned_body(&mut write);
        let Fragment { prelude, mut captures, setup, expr } = fragment;
        let expr = leave(expr);
        captures.extend(gate.captures.iter().cloned());
        let prelude = quote!(#look #prelude);
        if !pins {
            return Fragment { prelude, captures, setup, expr: quote!(#label: { #entered #expr }) };
        }
        let enclosed = self.rebind_arguments(&prelude, &captures, named);
        Fragment { expr: quote!(#label: { #enclosed #setup #entered #expr }), ..Fragment::default() }
    }

    /// Writes what is below a layer that makes futures of its own of it: what guards the layer is around those, and not in them.
    pub(crate) fn without_wrappers(&mut self, below: &mut dyn FnMut(&mut Self) -> Fragment) -> Fragment {
        let outside = (
            std::mem::take(&mut self.wrappers),
            std::mem::take(&mut self.deadlines),
            self.refused.take(),
            std::mem::take(&mut self.attempts),
        );
        let fragment = below(self);
        (self.wrappers, self.deadlines, self.refused, self.attempts) = outside;
        fragment
    }

    /// Whether a layer that [encloses](Self::rebind_arguments) the arguments for which `named` holds binds this one again.
    pub(crate) fn rebinds(&self, ident: &Ident, named: &dyn Fn(&Ident) -> bool) -> bool {
        self.encloses && self.is_rebound(ident, named)
    }

    /// The end of all looking at the arguments: statements that bind what is carried on, in a scope of their own.
    ///
    /// ```text
    /// Output: let (captures,) = { let first = first; let last = last; prelude (captures,) };
    /// ```
    ///
    /// A local that was borrowed takes its place in the future until its scope ends, even when it has been moved; hence the scope, in
    /// which the arguments are bound again. `named` says which are looked at, besides those that the body mentions.
    pub(crate) fn rebind_arguments(
        &mut self,
        prelude: &TokenStream,
        captures: &[Ident],
        named: &dyn Fn(&Ident) -> bool,
    ) -> TokenStream {
        if self.capture == Capture::Borrow {
            return prelude.clone();
        }
        self.encloses = true;
        let span = Span::mixed_site();
        let rebound = self.function.parameters.bindings.iter().filter(|binding| self.is_rebound(&binding.ident, named));
        let rebind = rebound
            .map(|Binding { ident, mutability, cfgs, .. }| quote_spanned!(span=> #(#cfgs)* let #mutability #ident = #ident;));
        quote_spanned!(span=> let (#(#captures,)*) = { #(#rebind)* #prelude (#(#captures,)*) };)
    }

    /// Whether [`enclose`](Self::rebind_arguments) binds the argument again.
    fn is_rebound(&self, ident: &Ident, named: &dyn Fn(&Ident) -> bool) -> bool {
        let taken_along = || self.function.parameters.find(ident).is_some_and(|binding| self.is_captured(binding));
        *ident != "self" && self.capture == Capture::Move && (named(ident) || taken_along())
    }

    /// Whether the body takes the argument along. What only an option mentions stays outside, where that may look at it.
    pub(crate) fn is_captured(&self, binding: &Binding) -> bool {
        binding.is_ignored() || binding.is_taken_unmentioned() || tokens::mentions(&self.function.body.stream(), &binding.ident)
    }

    /// How `name` is bound to something that must not go before the body does, when the call is dropped: a place that the body takes up.
    /// A body that is pinned already would outlive it, if it were not declared before; then what is returned is no `let`, but nothing. To
    /// be called before what is below is written.
    pub(crate) fn declare_before_body(&self, name: &Ident) -> TokenStream {
        self.declare_before_body_as(name, &TokenStream::new())
    }

    /// The same, for what notes something while the body runs.
    pub(crate) fn declare_mut_before_body(&self, name: &Ident) -> TokenStream {
        self.declare_before_body_as(name, &quote!(mut))
    }

    fn declare_before_body_as(&self, name: &Ident, mutability: &TokenStream) -> TokenStream {
        if self.pinned.is_none() {
            return quote!(let #mutability #name);
        }
        self.held.borrow_mut().push(quote!(let #mutability #name;));
        quote!(#name)
    }

    /// Where statements stand that bind an object which must live for as long as something [held](Self::hold): before that is declared, where
    /// it is. A static lives long enough wherever it is named.
    pub(crate) fn bind_before_body(&self, object: Option<&syn::Expr>, statements: TokenStream) -> TokenStream {
        if self.pinned.is_none() || object.is_none_or(|object| is_static(object, &self.function.parameters)) {
            return statements;
        }
        self.held.borrow_mut().push(statements);
        TokenStream::new()
    }

    /// Drops the body where it is [pinned](Self::with_pinned_body): to be written in front of every way out that leaves it behind.
    pub(crate) fn drop_body(&self) -> TokenStream {
        let private = &self.private;
        self.pinned.as_ref().map(|body| quote!(#private::body::Body::clear(#body.as_mut());)).unwrap_or_default()
    }

    /// Awaits `future` under all guards that are in force here.
    pub(crate) fn await_wrapped(&self, future: &TokenStream) -> TokenStream {
        let wrapped = self.wrappers.iter().rev().fold(future.clone(), |future, wrapper| (wrapper.wrap)(&future));
        let drop_body = self.drop_body();
        let span = Span::mixed_site();
        self.wrappers.iter().filter_map(|wrapper| wrapper.breaks_to.as_ref()).fold(quote!(#wrapped.await), |value, label| {
            quote_spanned! {span=>
                match #value {
                    ::core::result::Result::Ok(__value) => __value,
                    // A name, not a path: macros that parse with syn 2 read `break 'label ::path` as a label in front of a block.
                    ::core::result::Result::Err(__reason) => {
                        let __cut = ::core::result::Result::Err(__reason);
                        #drop_body
                        break #label __cut
                    }
                }
            }
        })
    }

    /// Awaits `future` under those guards only that cannot cut the wait short.
    pub(crate) fn await_wrapped_to_the_end(&self, future: &TokenStream) -> TokenStream {
        let wrappers = self.wrappers.iter().rev().filter(|wrapper| wrapper.breaks_to.is_none());
        let wrapped = wrappers.fold(future.clone(), |future, wrapper| (wrapper.wrap)(&future));
        quote!(#wrapped.await)
    }

    /// The innermost expression: runs `future`, which is the body.
    pub(crate) fn leaf(&self, future: &TokenStream) -> Fragment {
        let Some(body) = &self.pinned else { return Fragment { expr: self.await_wrapped(future), ..Fragment::default() } };
        let span = Span::mixed_site();
        let private = &self.private;
        let held = self.held.take();
        Fragment {
            prelude: quote_spanned!(span=> let #body = #future;),
            captures: vec![body.clone()],
            setup: quote_spanned!(span=> #(#held)* let mut #body = ::core::pin::pin!(#private::body::Body::new(#body));),
            expr: self.await_wrapped(&quote_spanned!(span=> #body.as_mut())),
        }
    }

    /// Whether an attempt needs arguments of its own without being told which: those of a job on another thread, or of a batch.
    pub(crate) fn clones_all(&self) -> bool {
        self.offloads || self.batch.is_some()
    }

    /// Begins a hedge: whether its attempts need arguments of their own, and nobody can say which.
    pub(crate) fn begin_hedge(&mut self) -> bool {
        self.hedge_clones = self.clones_all() || self.below.spawns;
        self.hedge_clones
    }

    /// What [`begin_hedge`](Self::begin_hedge) came to.
    pub(crate) fn hedge_clones(&self) -> bool {
        self.hedge_clones
    }

    /// `move`, where the body takes the arguments along.
    pub(crate) fn move_token(&self) -> TokenStream {
        match self.capture {
            Capture::Move => quote!(move),
            Capture::Borrow => TokenStream::new(),
        }
    }

    /// The user's block, with its own braces, made ready to be the inside of a future or a closure:
    ///
    /// ```text
    /// Input:  { body }
    /// Output: { if let Some(returned) = None::<Ret> { let _ = &last; let _ = &first; return returned; } body }
    /// ```
    ///
    /// The return type must be said, since the inside of a block that is not a function is inferred from its first `return`. The
    /// arguments are named in reverse, since what a block takes along is dropped in the order in which it is first named, and the
    /// arguments of a function in reverse.
    ///
    /// Between the two is what chaos does; `kind` says how it may wait.
    pub(crate) fn body(&self, kind: &str) -> Group {
        let span = Span::mixed_site();
        let braces = &self.function.body;
        let named = if self.capture == Capture::Move { self.arguments_in_drop_order() } else { TokenStream::new() };
        let hint = if self.function.diverges() {
            quote_spanned!(span=> if false { #named })
        } else {
            let output = self.function.output();
            // Where a value of another type is found, this is what the compiler says to have expected it from.
            let at_output = self.function.output.as_ref().map_or(span, |ty| span.located_at(ty.span()));
            let back = quote_spanned!(at_output=> return __returned;);
            quote_spanned! {span=>
                if let ::core::option::Option::Some(__returned) = ::core::option::Option::None::<#output> { #named #back }
            }
        };
        // Items that the block begins with must not follow a statement; otherwise braces of its own would be unnecessary ones.
        let content = match &self.function.shape {
            // Run as the function that it was, to where it returns its future.
            FnKind::Made { made, .. } => {
                let (private, mode) = (&self.private, self.move_token());
                quote_spanned!(span=> #private::body::made(#mode || -> #made #braces).await)
            }
            _ if tokens::begins_with_item(&braces.stream()) => quote!(#braces),
            _ => braces.stream(),
        };
        let (chaos, references) = (instrument::chaos(self, kind), self.references());
        with_braces(braces, quote!(#hint #chaos #references #content))
    }

    /// The references that the patterns of the parameters ask for, to what the body has taken along.
    fn references(&self) -> TokenStream {
        let bindings = self.function.parameters.bindings.iter();
        let mentioned = bindings.filter(|binding| binding.by_ref && tokens::mentions(&self.function.body.stream(), &binding.ident));
        let refer = |Binding { ident, mutability, cfgs, .. }: &Binding| quote_spanned!(Span::mixed_site()=> #(#cfgs)* let #ident = &#mutability #ident;);
        mentioned.map(refer).collect()
    }

    /// The arguments that the body takes along, last first.
    fn arguments_in_drop_order(&self) -> TokenStream {
        let span = Span::mixed_site();
        let parameters = &self.function.parameters;
        let mut named = TokenStream::new();
        let taken_along = || parameters.bindings.iter().filter(|binding| self.is_captured(binding));
        for Binding { ident, cfgs, .. } in taken_along().rev() {
            named.extend(quote_spanned!(span=> #(#cfgs)* let _ = &#ident;));
        }
        if let Some(receiver) = &parameters.receiver {
            let this = self_ident(receiver);
            if tokens::mentions(&self.function.body.stream(), &this) {
                named.extend(quote_spanned!(span=> let _ = &#this;));
            }
        }
        // The compiler is to say of those that nobody mentions what it would say without the above: that they are unused.
        for Binding { ident, cfgs, .. } in taken_along().filter(|binding| binding.is_taken_unmentioned() && !binding.is_ignored()) {
            named.extend(quote_spanned!(span=> #(#cfgs)* let #ident = &#ident;));
        }
        named
    }

    /// The name of the function, as the library reports it.
    pub(crate) fn function_name(&self) -> TokenStream {
        self.function.name().into_token_stream()
    }

    /// The function, as those who watch are told of it.
    pub(crate) fn origin(&self) -> TokenStream {
        let (private, name) = (&self.private, self.function_name());
        // A constant, and so a static one wherever it is referred to.
        quote_spanned!(Span::mixed_site()=> &#private::Origin { function: #name, module: ::core::module_path!() })
    }

    /// An error of which those who watch are told. `again` says whether another attempt of the call may follow.
    fn told(&self, error: &TokenStream, again: &TokenStream) -> TokenStream {
        let (private, origin) = (&self.private, self.origin());
        quote_spanned!(Span::mixed_site()=> #private::rejected(#origin, #error, #again))
    }

    /// A refusal as the function's return value: what `or_else` makes of it, or what the return type can carry.
    pub(crate) fn reject(&self, attribute: &str, error: &TokenStream, or_else: Option<&syn::Expr>) -> TokenStream {
        let private = &self.private;
        let output = if self.function.diverges() { quote!(_) } else { self.function.output() };
        let attempts = &self.attempts;
        let again = if attempts.is_empty() { quote!(false) } else { quote_spanned!(Span::mixed_site()=> #(#attempts.left())||*) };
        let error = &self.told(error, &again);
        if let Some(or_else) = or_else {
            return quote!(#private::reject_with::<#output>(#error, #or_else));
        }
        let (span, module) = (Span::mixed_site(), mixed_site(attribute));
        let module = quote!(#private::#module::rejection);
        let written = self.function.output.as_ref();
        let at_output = written.map_or(span, Spanned::span);
        if written.is_none_or(|ty| matches!(types::ungroup(ty), syn::Type::ImplTrait(_))) {
            let message = format!(
                "`#[{attribute}]` can fail, but this return type cannot represent its error: return a `Result` or an `Option`, \
                 or set `or_else = |error| ..`"
            );
            return syn::Error::new(at_output, message).into_compile_error();
        }
        let at_error = written.and_then(types::error_type).map_or(at_output, Spanned::span);
        let carry = respan(at_error, quote_spanned!(span=> <_ as #module::Represent<_>>::represent));
        let refuse = respan(at_output, quote_spanned!(span=> .reject));
        quote_spanned!(span=> <#output as #module::ErrorSlot<_>>::slot()#refuse(#carry(#error)))
    }

    /// The same, of a refusal that may know when to come again.
    pub(crate) fn reject_with_hint(&self, attribute: &str, error: &TokenStream, or_else: Option<&syn::Expr>) -> TokenStream {
        let Some(refused) = &self.refused else { return self.reject(attribute, error, or_else) };
        self.refuses.set(true);
        let (span, private) = (Span::mixed_site(), &self.private);
        let refusal = self.reject(attribute, &quote_spanned!(span=> __error), or_else);
        quote_spanned! {span=> {
            let __error = #error;
            #refused = #private::retry::hint_nanos(&__error);
            #refusal
        }}
    }

    /// A refusal that is too unexpected to ask the user for an `or_else`: a panic where the return type carries no error.
    pub(crate) fn reject_or_panic(&self, error: &TokenStream) -> TokenStream {
        let private = &self.private;
        let error = self.told(error, &quote!(false));
        let unnamed = self.function.output.as_ref().is_none_or(|output| matches!(types::ungroup(output), syn::Type::ImplTrait(_)));
        if unnamed || self.function.diverges() {
            return quote!(#private::panic_with(#error));
        }
        let output = self.function.output();
        quote!(#private::Rejection::<#output>::new().reject(#error))
    }
}

/// How the body takes the arguments along: it must leave them where they are where it runs again, or where an expression that is evaluated
/// later names one.
fn capture(function: &Function, layers: &[&dyn Layer]) -> Capture {
    let borrows = layers.iter().any(|layer| {
        let late = layer.deferred_exprs();
        let taken = function.parameters.bindings.iter().filter(|binding| !binding.is_shared_reference());
        let this = function.parameters.receiver.as_ref().filter(|receiver| !is_shared_reference(receiver)).map(self_ident);
        let mut taken = taken.map(|binding| &binding.ident).chain(&this);
        layer.reruns_body() || taken.any(|name| tokens::mentions(&late, name))
    });
    if borrows { Capture::Borrow } else { Capture::Move }
}
