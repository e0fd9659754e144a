//! `run!`: the attributes around an expression instead of a function.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprClosure, parse_quote};

use crate::codegen::compose;
use crate::codegen::instrument;
use crate::codegen::layer::{AttributeDef, Layer};
use crate::codegen::plan::{Plan, Stacked};
use crate::diagnostics::Errors;
use crate::expand::{self, root};
use crate::item::function::{FnKind, Function, Run};
use crate::item::parameters::Parameters;
use crate::item::tokens::local;
use crate::splice;
use crate::stack::{self, Entry, Stack};

/// `#[timeout(2s)] #[retry] async { .. }`
struct Input {
    attributes: Vec<Attribute>,
    body: Body,
}

/// What the attributes are around, as a closure that each attempt calls.
struct Body {
    closure: TokenStream,
    /// Whether it blocks, below `offload_blocking`.
    blocks: bool,
    /// Whether it moves what it names.
    moves: bool,
    place: Span,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        if input.is_empty() {
            let message = "`run!` requires a body below its attributes: write `run! { #[timeout(2s)] async { .. } }`";
            return Err(syn::Error::new(Span::call_site(), message));
        }
        let body = Body::of(&input.parse()?)?;
        if input.is_empty() {
            return Ok(Self { attributes, body });
        }
        Err(input.error("`run!` takes one expression: put statements in `async { .. }`"))
    }
}

impl Body {
    /// ```text
    /// Input:  async move { body }     async || -> T { body }     || body     client.stock(id)
    /// Output: async move || { body }  async || -> T { body }     || body     async || (client.stock(id)).await
    /// ```
    fn of(expression: &Expr) -> syn::Result<Self> {
        let span = Span::mixed_site();
        let place = expression.span();
        let expression = ungroup(expression);
        match expression {
            Expr::Async(block) if block.attrs.is_empty() => {
                let (asyncness, capture, body) = (&block.async_token, &block.capture, &block.block);
                let closure = quote_spanned!(span=> #asyncness #capture || #body);
                Ok(Self { closure, blocks: false, moves: capture.is_some(), place })
            }
            Expr::Closure(ExprClosure { inputs, asyncness, capture, .. }) => {
                if let Some(input) = inputs.first() {
                    let message = "the body of `run!` takes no arguments: it can name the variables around it";
                    return Err(syn::Error::new_spanned(input, message));
                }
                let closure = quote!(#expression);
                Ok(Self { closure, blocks: asyncness.is_none(), moves: capture.is_some(), place })
            }
            _ => {
                let delimiter = if binds_looser_than_await(expression) { Delimiter::Parenthesis } else { Delimiter::None };
                let future = TokenTree::from(group(delimiter, quote!(#expression), place));
                let awaited = quote_spanned!(span.located_at(place)=> .await);
                Ok(Self { closure: quote_spanned!(span=> async || #future #awaited), blocks: false, moves: false, place })
            }
        }
    }

    /// A variable of the expansion, which errors show as the body.
    fn local(&self, name: &str) -> Ident {
        let mut ident = local(name);
        ident.set_span(ident.span().located_at(self.place));
        ident
    }

    /// The body as the body of a function whose only argument is the closure.
    fn function(&self, name: Option<syn::LitStr>) -> Function {
        let span = Span::mixed_site().located_at(self.place);
        let (closure, output) = (self.local("run"), self.local("output"));
        let awaited = if self.blocks { TokenStream::new() } else { quote_spanned!(span=> .await) };
        let signature = if self.blocks { parse_quote!(fn run()) } else { parse_quote!(async fn run()) };
        Function {
            attributes: Vec::new(),
            visibility: syn::Visibility::Inherited,
            default: None,
            signature,
            parameters: Parameters::of_run(&closure),
            output: None,
            shape: if self.blocks { FnKind::Plain } else { FnKind::Async },
            prologue: Vec::new(),
            body: group(Delimiter::Brace, quote_spanned!(span=> #closure() #awaited), self.place),
            run: Some(Run { output, place: self.place, name }),
        }
    }
}

/// The expression without the invisible group around it, in which `macro_rules!` passes an `$expression`.
fn ungroup(mut expression: &Expr) -> &Expr {
    while let Expr::Group(group) = expression {
        expression = &group.expr;
    }
    expression
}

/// Whether the expression needs parentheses in front of `.await`. rustc does not regard the invisible group of a procedural macro.
fn binds_looser_than_await(expression: &Expr) -> bool {
    matches!(
        expression,
        Expr::Assign(_)
            | Expr::Binary(_)
            | Expr::Break(_)
            | Expr::Cast(_)
            | Expr::Let(_)
            | Expr::Range(_)
            | Expr::RawAddr(_)
            | Expr::Reference(_)
            | Expr::Return(_)
            | Expr::Unary(_)
            | Expr::Yield(_)
    )
}

fn group(delimiter: Delimiter, content: TokenStream, place: Span) -> Group {
    let mut group = Group::new(delimiter, content);
    group.set_span(Span::mixed_site().located_at(place));
    group
}

/// Expands the macro.
pub(crate) fn run(known: &'static [AttributeDef], input: &TokenStream) -> TokenStream {
    if let Some(tokens) = splice::resolve(&TokenStream::new(), input, splice::IN_RUN) {
        return tokens;
    }
    let Input { mut attributes, body } = match syn::parse2(input.clone()) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let stack = Stack::collect(known, None, &mut attributes, &mut errors);
    for attribute in &attributes {
        let name = attribute.path().segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        errors.at(attribute.path(), stack::unknown(known, &name, "use the attributes of other crates on functions"));
    }
    if stack.layers.is_empty() && errors.is_empty() {
        errors.at_span(body.place, "`run!` requires at least one attribute above its body, as in `#[timeout(2s)]`");
    }
    let name = stack.layers.iter().find_map(|entry| entry.parsed.common.name.clone());
    let function = body.function(name);
    check(&stack, &body, &mut errors);
    if errors.is_empty() {
        stack.check(&function, None, &mut errors);
    }
    match errors.into_tokens() {
        Some(errors) => quote!({ #errors }),
        None => tokens(&stack, &function, &body),
    }
}

/// Reports what only a function has.
fn check(stack: &Stack, body: &Body, errors: &mut Errors) {
    let mut named = None;
    for Entry { attribute, span, parsed, .. } in &stack.layers {
        let name = attribute.name;
        for option in &parsed.common.options {
            let way_out = match option.to_string().as_str() {
                "skip" => "name what the key consists of: `key = ..`",
                "clone" => "clone in the body, which each attempt evaluates again",
                "handle" => "put the object in a `static`, and name that",
                _ => continue,
            };
            errors.at(option, format!("`{option}` is about a function, and `run!` is none: {way_out}"));
        }
        let makes_a_key = |option: &Ident| option == "key" || option == "skip";
        if matches!(name, "async_cached" | "coalesce") && !parsed.common.options.iter().any(makes_a_key) {
            errors.at_span(*span, format!("`run!` has no arguments to make a key of: write `#[{name}(key = ..)]`"));
        }
        if name == "batched" {
            errors.at_span(*span, "`#[batched]` combines calls by their arguments, of which `run!` has none: write a function");
        }
        if let Some(again) = parsed.common.name.as_ref().filter(|_| named.replace(()).is_some()) {
            errors.at(again, "`name` is set twice: remove one");
        }
    }
    let offload = stack.layers.iter().find(|entry| entry.parsed.layer.makes_async());
    match offload {
        Some(entry) if !body.blocks => {
            let message = format!("`#[{}]` requires a blocking body: write `|| ..`", entry.attribute.name);
            errors.at_span(body.place, message);
        }
        None if body.blocks => {
            let message =
                "a closure without `async` blocks: write `async || ..`, or add `#[offload_blocking]` as the last attribute";
            errors.at_span(body.place, message);
        }
        _ => {}
    }
}

/// ```text
/// Output: { let run = Closure::new(async || { body }); async { let mut run = run.taken(); let output = of_async(&run); stack } }
/// ```
///
/// The closure is made outside of the block, so that each captures as the user has written it. The attributes need no imports, and so cannot
/// mark one as used.
fn tokens(stack: &Stack, function: &Function, body: &Body) -> TokenStream {
    let span = Span::mixed_site();
    let root = root(stack);
    let layers: Vec<&dyn Layer> = stack.layers.iter().map(|entry| &*entry.parsed.layer).collect();
    let spans: Vec<Span> = stack.layers.iter().map(|entry| entry.span).collect();
    let call = Stacked { function, layers: &layers, spans: &spans };
    let plan = Plan::of(&call, None, &root, instrument::track_polls(function, &root));
    let expanded = compose::expand(&plan, &layers);
    let policies = stack.layers.iter().map(|entry| (entry.attribute.name, &entry.written));
    let expanded = instrument::count_call(&plan.layers[0], policies, &expanded);
    let version = expand::version(&root);
    let (closure, output, run) = (&body.closure, body.local("output"), body.local("run"));
    let of = if body.blocks { quote!(of_blocking) } else { quote!(of_async) };
    let place = stack.layers.iter().all(|entry| entry.parsed.common.name.is_none()).then(|| {
        let name = Function::place_name();
        quote_spanned!(span=> const #name: &::core::primitive::str = ::core::concat!(::core::file!(), ":", ::core::line!());)
    });
    let capture = body.moves.then(|| quote_spanned!(span=> move));
    quote_spanned! {span=> {
        let #run = #root::__private::output::Closure::new(#closure);
        async #capture {
            #version
            #place
            let mut #run = #run.taken();
            let #output = #root::__private::output::#of(&#run);
            #expanded
        }
    }}
}
