//! The arguments of an attribute: what is in its parentheses.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, Lit, LitStr, Path, Token, UnOp, token};

use crate::diagnostics::{Errors, available, list, suggest};
use crate::item::tokens::without_fragments;
use crate::parse::escapes;
use crate::parse::expression::plain;
use crate::parse::literal::has_unit;
use crate::parse::units::{self, Value};

/// The options that every attribute takes.
#[derive(Default)]
pub(crate) struct Common {
    /// `crate = path`.
    pub(crate) krate: Option<Path>,
    /// `name = ".."`: what errors, registry and metrics call a `run!`.
    pub(crate) name: Option<LitStr>,
    /// The names of all options, as written.
    pub(crate) options: Vec<Ident>,
}

/// The name of one option, whose value is about to be read.
pub(crate) struct OptionName {
    pub(crate) name: String,
    pub(crate) ident: Ident,
}

impl OptionName {
    /// Reads `= value`.
    pub(crate) fn value<T>(&self, input: ParseStream<'_>, read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>) -> syn::Result<T> {
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new(self.ident.span(), format!("`{}` requires a value: write `{0} = ..`", self.name)));
        }
        if input.parse::<Token![=]>().is_err() {
            return Err(syn::Error::new(self.ident.span(), format!("`{}` takes its value after `=`: write `{0} = ..`", self.name)));
        }
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new(self.ident.span(), format!("`{}` requires a value: write `{0} = ..`", self.name)));
        }
        read(input)
    }

    /// Reads a flag, which has no value.
    pub(crate) fn flag(&self, input: ParseStream<'_>) -> syn::Result<Ident> {
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(self.ident.clone());
        }
        Err(input.error(format!("`{}` is a flag and takes no value: write `{0}`, or leave it out", self.name)))
    }

    /// Reads `= value`, of any type that parses.
    pub(crate) fn parse<T: Value>(&self, input: ParseStream<'_>) -> syn::Result<T> {
        self.value(input, T::parse)?.with_units()
    }

    /// Reads `(name, ..)`.
    pub(crate) fn names(&self, input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
        if !input.peek(token::Paren) {
            return Err(syn::Error::new(
                self.ident.span(),
                format!("`{}` takes a list of argument names: write `{0}(..)`", self.name),
            ));
        }
        let content;
        syn::parenthesized!(content in input);
        let Ok(names) = content.parse_terminated(Ident::parse_any, Token![,]) else {
            let at = content.span();
            let _: TokenStream = content.parse()?;
            let message = format!("`{}(..)` takes argument names only: write them as in `{0}(id, name)`", self.name);
            return Err(syn::Error::new(at, message));
        };
        if names.is_empty() {
            return Err(syn::Error::new(
                self.ident.span(),
                format!("`{}()` is empty: name at least one argument, or remove it", self.name),
            ));
        }
        Ok(names.into_iter().collect())
    }
}

/// Reads an argument without a name.
pub(crate) type Positional<'a> = dyn FnMut(ParseStream<'_>) -> syn::Result<()> + 'a;

/// Reads the arguments of an attribute option by option, and continues after an error, so that all errors are reported at once.
///
/// `positional` reads a first argument without a name, for attributes that take one; `option` reads the value of an option whose name is in
/// `known`.
pub(crate) fn read(
    attribute: &str,
    tokens: TokenStream,
    known: &[&'static str],
    errors: &mut Errors,
    positional: Option<&mut Positional<'_>>,
    option: &mut dyn FnMut(&OptionName, ParseStream<'_>) -> syn::Result<()>,
) -> Common {
    read_arguments(attribute, tokens, known, errors, positional.map(|positional| (1, positional)), option)
}

/// The same for an attribute that takes several arguments without a name, in front of its options.
pub(crate) fn read_several(
    attribute: &str,
    tokens: TokenStream,
    known: &[&'static str],
    errors: &mut Errors,
    positional: &mut Positional<'_>,
    option: &mut dyn FnMut(&OptionName, ParseStream<'_>) -> syn::Result<()>,
) -> Common {
    read_arguments(attribute, tokens, known, errors, Some((usize::MAX, positional)), option)
}

/// `positional`: how many there may be, and how one is read.
fn read_arguments(
    attribute: &str,
    tokens: TokenStream,
    known: &[&'static str],
    errors: &mut Errors,
    mut positional: Option<(usize, &mut Positional<'_>)>,
    option: &mut dyn FnMut(&OptionName, ParseStream<'_>) -> syn::Result<()>,
) -> Common {
    let mut common = Common::default();
    let mut seen: Vec<String> = Vec::new();
    let mut one = |input: ParseStream<'_>| -> syn::Result<()> {
        let first = seen.is_empty();
        if let Some((left, positional)) = positional.as_mut().filter(|(left, _)| *left > 0 && first && !starts_option(input)) {
            *left -= 1;
            let written = input.fork();
            positional(input)?;
            check_stays(&written, attribute, "", errors);
            return Ok(());
        }
        let ident = input.call(Ident::parse_any).map_err(|_| unexpected(attribute, input, known))?;
        let named = OptionName { name: ident.unraw().to_string(), ident };
        if seen.contains(&named.name) {
            errors.at(&named.ident, format!("duplicate option `{}`: remove one", named.name));
        }
        seen.push(named.name.clone());
        common.options.push(named.ident.clone());
        match named.name.as_str() {
            "name" if !known.contains(&"name") => named
                .value(input, <LitStr as Parse>::parse)
                .map(|name| common.name = Some(name))
                .map_err(|error| syn::Error::new(error.span(), "`name` takes a string: write `name = \"warehouse.stock\"`")),
            "crate" => named.value(input, Path::parse_mod_style).map(|path| common.krate = Some(path)),
            name if known.contains(&name) => {
                let written = input.fork();
                option(&named, input)?;
                written.parse::<Option<Token![=]>>()?;
                check_stays(&written, attribute, name, errors);
                Ok(())
            }
            _ => Err(unknown(attribute, &named, known)),
        }
    };
    let mut failures = Vec::new();
    let parsed = (|input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = one(input) {
                failures.push(error);
                skip_to_comma(input)?;
            }
            if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                failures.push(input.error("expected a comma"));
                skip_to_comma(input)?;
                let _: Option<Token![,]> = input.parse()?;
            }
        }
        Ok(())
    })
    .parse2(without_fragments(tokens));
    failures.into_iter().chain(parsed.err()).for_each(|error| errors.push(error));
    if let Some(path) = common.krate.as_ref().filter(|path| !is_absolute(path)) {
        errors.at(path, "`crate` must be an absolute path: write `::name`, `crate::name` or `$crate::name`");
    }
    common
}

/// The options that are awaited, within all that the attributes above have around them, and so may await.
const AWAITED: [(&str, &str); 3] = [("fallback", ""), ("finally", ""), ("cancellable", "cleanup")];

/// Reports what in an option would leave the function, or await past the attributes above.
fn check_stays(written: ParseStream<'_>, attribute: &str, option: &str, errors: &mut Errors) {
    if let Ok(expression) = written.parse::<Expr>() {
        escapes::check(&expression, AWAITED.contains(&(attribute, option)), errors);
    }
}

fn is_absolute(path: &Path) -> bool {
    path.leading_colon.is_some() || path.segments.first().is_some_and(|first| first.ident == "crate" || first.ident == "$crate")
}

/// Whether the next argument is an option, `name = ..`, rather than the beginning of an expression.
fn starts_option(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.call(Ident::parse_any).is_ok() && ahead.peek(Token![=]) && !ahead.peek(Token![==])
}

fn unknown(attribute: &str, option: &OptionName, known: &[&'static str]) -> syn::Error {
    let meant = suggest(&option.name, known).map(|name| format!(": write `{name}`")).unwrap_or_default();
    let known = if known.is_empty() { String::new() } else { format!(" ({})", available(known)) };
    let message = format!("`{attribute}` has no option `{}`{meant}{known}", option.name);
    syn::Error::new(option.ident.span(), message)
}

/// The options that a number, or a duration, without a name is most likely meant for.
const COUNTS: [&str; 4] = ["attempts", "capacity", "max_batch_size", "limit"];
const TIMES: [&str; 3] = ["ttl", "delay", "max_wait"];

fn unexpected(attribute: &str, input: ParseStream<'_>, known: &[&'static str]) -> syn::Error {
    if let Ok(Expr::Lit(literal)) = input.fork().parse()
        && let Lit::Int(_) | Lit::Float(_) = literal.lit
    {
        let meant = if has_unit(&literal) { &TIMES[..] } else { &COUNTS[..] };
        if let Some(name) = meant.iter().find(|name| known.contains(name)) {
            let message = format!("missing option name: write `{name} = {}`", literal.to_token_stream());
            return syn::Error::new_spanned(literal, message);
        }
    }
    if known.is_empty() {
        return input.error(format!("unexpected argument: `{attribute}` takes no further arguments"));
    }
    input.error(format!("expected an option of `{attribute}`: {}", list(known)))
}

/// Reads a first argument that names a policy object. The bare name of an option is an option without its value.
pub(crate) fn object(input: ParseStream<'_>, known: &[&str]) -> syn::Result<Expr> {
    let expression: Expr = input.parse()?;
    if let Expr::Path(path) = &expression
        && let Some(ident) = path.path.get_ident()
        && known.contains(&ident.to_string().as_str())
    {
        return Err(syn::Error::new(ident.span(), format!("`{ident}` requires a value: write `{ident} = ..`")));
    }
    Ok(expression)
}

/// Whether `95%` comes next, and not a remainder (`95 % n`).
pub(crate) fn is_percent(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Lit>().is_ok() && ahead.parse::<Token![%]>().is_ok() && (ahead.is_empty() || ahead.peek(Token![,]))
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// A count: an integer literal, or an expression of any integer type.
#[derive(Clone)]
pub(crate) struct Count(pub(crate) Expr);

impl Count {
    /// The value of a literal.
    pub(crate) fn literal(&self) -> Option<u128> {
        self.literal_token().and_then(|int| int.base10_parse().ok())
    }

    fn literal_token(&self) -> Option<&syn::LitInt> {
        match plain(&self.0) {
            Expr::Lit(syn::ExprLit { lit: Lit::Int(int), .. }) => Some(int),
            _ => None,
        }
    }

    /// As an expression of the integer type that its context expects.
    pub(crate) fn tokens(&self, private: &TokenStream) -> TokenStream {
        let expression = &self.0;
        match self.literal_token() {
            Some(int) if int.suffix().is_empty() => int.to_token_stream(),
            _ => quote!(#private::count(#expression)),
        }
    }
}

// It reads units itself, since some of its literals have a special meaning.
impl Value for Count {}

impl Parse for Count {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let expression: Expr = input.parse()?;
        let count = Self(expression);
        match &count.0 {
            Expr::Lit(literal) if count.literal_token().is_none() => {
                Err(syn::Error::new_spanned(literal, "expected an integer: write a plain number, as in `10`"))
            }
            Expr::Lit(_) if count.literal_token().is_some_and(|int| !is_integer_suffix(int.suffix())) => {
                Err(syn::Error::new_spanned(&count.0, "a count has no unit: write a plain number, as in `10`"))
            }
            Expr::Unary(unary) if matches!((&unary.op, &*unary.expr), (UnOp::Neg(_), Expr::Lit(_))) => {
                Err(syn::Error::new_spanned(&count.0, "a count cannot be negative: write a plain number, as in `10`"))
            }
            Expr::Binary(binary)
                if [&binary.left, &binary.right].iter().any(|side| matches!(&***side, Expr::Lit(literal) if has_unit(literal))) =>
            {
                Err(syn::Error::new_spanned(&count.0, "a count has no unit: write a plain number, as in `10`"))
            }
            Expr::Lit(_) => Ok(count),
            _ => Ok(Self(units::read(count.0)?)),
        }
    }
}

fn is_integer_suffix(suffix: &str) -> bool {
    suffix.is_empty() || (suffix.starts_with(['u', 'i']) && matches!(&suffix[1..], "8" | "16" | "32" | "64" | "128" | "size"))
}
