//! A specification as Rust source.

use std::fmt::Write as _;

use crate::program::spec::{Argument, Call, Fallback, Kind, Layer, Output, Retry, Run, Shape, Spec, Usage, When, second};

/// A module with the function and `start`, which calls it.
pub(crate) fn module(seed: u64, spec: &Spec) -> String {
    let name = format!("f{seed}");
    let arguments: Vec<_> = spec.arguments.iter().map(value).collect();
    let arguments = arguments.iter().fold("call, key".to_owned(), |all, one| all + ", " + one);
    let call = match spec.shape {
        Shape::Method | Shape::Trait => format!("Host.work({arguments})"),
        Shape::ArcMethod => format!("Arc::new(Host).work({arguments})"),
        _ => format!("work({arguments})"),
    };
    let needs_arc = if spec.shape == Shape::ArcMethod { "use std::sync::Arc;\n" } else { "" };
    format!(
        "mod {name} {{\n{}use super::prelude::*;\n{needs_arc}{}\npub(super) fn start(call: u32, key: u32) -> Call {{\n    \
         Box::pin(async move {{ format!(\"{{:?}}\", {call}.await) }})\n}}\n}}\n",
        script(spec),
        function(spec)
    )
}

/// A comment that describes the runs of the body and the calls.
fn script(spec: &Spec) -> String {
    let mut text = String::new();
    for (number, Run { steps: [first, second], succeeds }) in (1..).zip(&spec.script) {
        let end = if *succeeds { "success" } else { "failure" };
        writeln!(text, "// body {number}: {first:?}, {second:?}, {end}").expect("text");
    }
    for (number, Call { at, key, dropped_after }) in spec.calls.iter().enumerate() {
        let dropped = dropped_after.map_or_else(String::new, |time| format!(", dropped after {time}"));
        writeln!(text, "// call {number} at {at}: key {key}{dropped}").expect("text");
    }
    if let Some(at) = spec.cancelled_at {
        writeln!(text, "// cancelled at {at}").expect("text");
    }
    text
}

/// The function with its attributes and the items around it.
fn function(spec: &Spec) -> String {
    let attributes: String =
        spec.stack.iter().enumerate().map(|(at, layer)| ["#[", &attribute(spec, at, layer), "]\n"].concat()).collect();
    let returned = match spec.output {
        Output::Result => "Outcome",
        Output::Unshared => "Result<u32, Unshared>",
        Output::Option => "Option<u32>",
        Output::Plain => "u32",
    };
    let parameters: Vec<_> = spec.arguments.iter().map(parameter).collect();
    let receiver = match spec.shape {
        Shape::Method | Shape::Trait => "&self, ",
        Shape::ArcMethod => "self: Arc<Self>, ",
        _ => "",
    };
    let parameters = parameters.iter().fold(format!("{receiver}call: u32, key: u32"), |all, one| all + ", " + one);
    let generic = spec.arguments.iter().filter(|argument| argument.kind == Kind::Generic);
    let generic: Vec<_> = generic.map(|argument| format!("{}: Argument", type_name(argument))).collect();
    let generic = if generic.is_empty() { String::new() } else { format!("<{}>", generic.join(", ")) };
    let body = body(spec);
    match spec.shape {
        Shape::Free => format!("{attributes}async fn work{generic}({parameters}) -> {returned} {{\n{body}}}"),
        Shape::Method | Shape::ArcMethod => {
            format!("struct Host;\nimpl Host {{\n{attributes}async fn work{generic}({parameters}) -> {returned} {{\n{body}}}\n}}")
        }
        Shape::Trait => format!(
            "struct Host;\ntrait Work {{\nasync fn work{generic}({}) -> {returned};\n}}\nimpl Work for Host {{\n\
             {attributes}async fn work{generic}({parameters}) -> {returned} {{\n{body}}}\n}}",
            declared(spec)
        ),
        Shape::Returned => {
            format!(
                "{attributes}fn work{generic}({parameters}) -> impl Future<Output = {returned}> {{\nasync move {{\n{body}}}\n}}"
            )
        }
        Shape::Boxed => format!(
            "{attributes}fn work{generic}({parameters}) -> Pin<Box<dyn Future<Output = {returned}> + Send>> {{\n\
             Box::pin(async move {{\n{body}}})\n}}"
        ),
    }
}

fn body(spec: &Spec) -> String {
    let mut body = "let mut run = body(call, key);\nlet _local = Noisy::new(call, \"local\");\nrun.step().await;\n".to_owned();
    for argument in &spec.arguments {
        let mut names = vec![argument.name];
        names.extend((argument.kind == Kind::Pair).then(|| second(argument.name)));
        for name in names {
            match argument.usage {
                Usage::Touched => writeln!(body, "{name}.touch();"),
                Usage::Moved => writeln!(body, "drop({name});"),
                Usage::Mutated => writeln!(body, "{name}.change();"),
                Usage::Unused => Ok(()),
            }
            .expect("text");
        }
    }
    let end = match (spec.asks, spec.output) {
        (true, Output::Result | Output::Unshared) => {
            if spec.output == Output::Result {
                "let value = run.end::<Outcome>()?;\nOk(value)\n"
            } else {
                "let value = run.end::<Result<u32, Unshared>>()?;\nOk(value)\n"
            }
        }
        (true, Output::Option) => "let value = run.end::<Option<u32>>()?;\nSome(value)\n",
        _ => "run.end()\n",
    };
    body + "run.step().await;\n" + end
}

/// The binding in the parameters: with `_` if the body does not use it.
fn bound(argument: &Argument, name: &str) -> String {
    match argument.usage {
        Usage::Unused => format!("_{name}"),
        Usage::Mutated => format!("mut {name}"),
        Usage::Touched | Usage::Moved => name.to_owned(),
    }
}

fn parameter(argument: &Argument) -> String {
    let name = bound(argument, argument.name);
    match argument.kind {
        Kind::Pair => format!("({name}, {}): (Noisy, Noisy)", bound(argument, second(argument.name))),
        _ => format!("{name}: {}", type_of(argument)),
    }
}

/// The parameters in a trait, without patterns.
fn declared(spec: &Spec) -> String {
    spec.arguments
        .iter()
        .fold("&self, call: u32, key: u32".to_owned(), |all, argument| format!("{all}, {}: {}", argument.name, type_of(argument)))
}

fn type_of(argument: &Argument) -> String {
    match argument.kind {
        Kind::Owned => "Noisy".to_owned(),
        Kind::Pair => "(Noisy, Noisy)".to_owned(),
        Kind::Generic => type_name(argument),
        Kind::Impl => "impl Argument".to_owned(),
        Kind::Str => "&str".to_owned(),
        Kind::Number => "&u32".to_owned(),
    }
}

fn type_name(argument: &Argument) -> String {
    format!("T{}", argument.name.to_uppercase())
}

/// The value passed for an argument.
fn value(argument: &Argument) -> String {
    let noisy = |name: &str| format!("Noisy::new(call, {name:?})");
    match argument.kind {
        Kind::Owned | Kind::Generic | Kind::Impl => noisy(argument.name),
        Kind::Pair => format!("({}, {})", noisy(argument.name), noisy(second(argument.name))),
        Kind::Str => "\"text\"".to_owned(),
        Kind::Number => "&7".to_owned(),
    }
}

/// The attributes that are generated.
pub(crate) const NAMES: [&str; 13] = [
    "async_cached",
    "cancellable",
    "circuit_breaker",
    "coalesce",
    "concurrency_limit",
    "fallback",
    "finally",
    "hedge",
    "rate_limit",
    "retry",
    "shield",
    "timeout",
    "warn_slow_poll",
];

pub(crate) fn name(layer: &Layer) -> &'static str {
    match layer {
        Layer::Timeout { .. } => "timeout",
        Layer::Retry(_) => "retry",
        Layer::Fallback(_) => "fallback",
        Layer::Cached { .. } => "async_cached",
        Layer::Coalesce { .. } => "coalesce",
        Layer::Breaker { .. } => "circuit_breaker",
        Layer::Rate { .. } => "rate_limit",
        Layer::Limit { .. } => "concurrency_limit",
        Layer::Hedge { .. } => "hedge",
        Layer::Shield => "shield",
        Layer::Finally { .. } => "finally",
        Layer::Cancellable { .. } => "cancellable",
        Layer::Warn => "warn_slow_poll",
    }
}

fn attribute(spec: &Spec, at: usize, layer: &Layer) -> String {
    let mentions = spec.mentions[at].map_or_else(String::new, |name| format!("{name}.touch(); "));
    let mentions = mentions.as_str();
    // An option that is evaluated at every call: a literal, or an expression that records its evaluation.
    let each_call = |name: &str, literal: String, expression: String| match (spec.notes, mentions) {
        (false, "") => literal,
        (false, mentions) => format!("{{ {mentions}{expression} }}"),
        (true, mentions) => format!(
            "{{ {mentions}{}(call, \"{name}\"); {expression} }}",
            if spec.panics_at == Some(at) { "trap" } else { "option" }
        ),
    };
    let duration = |name: &str, time: u64| each_call(name, format!("{time}ms"), format!("ms({time})"));
    let mut options: Vec<String> = Vec::new();
    match layer {
        Layer::Timeout { limit, or_else } => {
            options.push(duration("limit", *limit));
            options.extend(rejected(spec, *or_else, mentions));
        }
        Layer::Retry(retry) => {
            options.push(format!("attempts = {}", each_call("attempts", retry.attempts.to_string(), retry.attempts.to_string())));
            options.extend(retries(spec, retry));
        }
        Layer::Fallback(fallback) => options.push(stand_in(spec, fallback, mentions)),
        Layer::Cached { ttl, error_ttl, single_flight, detached, skips } => {
            options.push(keyed(spec, *skips, &each_call("key", "key".to_owned(), "key".to_owned())));
            options.extend(ttl.map(|ttl| format!("ttl = {ttl}ms")));
            options.extend(error_ttl.map(|ttl| format!("error_ttl = {ttl}ms")));
            options.extend((!single_flight).then(|| "single_flight = false".to_owned()));
            options.extend(detached.then(|| "detached".to_owned()));
        }
        Layer::Coalesce { skips } => options.push(keyed(spec, *skips, &each_call("key", "key".to_owned(), "key".to_owned()))),
        Layer::Breaker { failures, open_for, when, or_else } => {
            options.push(format!("failures = {failures}, open_for = {open_for}ms"));
            options.extend(which(spec, *when));
            options.extend(plain_failure(spec));
            options.extend(rejected(spec, *or_else, mentions));
        }
        Layer::Rate { interval, burst, max_wait, keyed, or_else } => {
            options.push(format!("1 / {interval}ms, burst = {burst}"));
            options.extend(keyed.then(|| "key = key".to_owned()));
            options.extend(max_wait.map(|wait| format!("max_wait = {}", duration("max_wait", wait))));
            options.extend(rejected(spec, *or_else, mentions));
        }
        Layer::Limit { permits, max_wait, queue, or_else } => {
            options.push(permits.to_string());
            options.extend(max_wait.map(|wait| format!("max_wait = {}", duration("max_wait", wait))));
            options.extend(queue.map(|queue| format!("queue = {queue}")));
            options.extend(rejected(spec, *or_else, mentions));
        }
        Layer::Hedge { after, max } => options.push(format!("after = {}, max = {max}", duration("after", *after))),
        Layer::Shield => {}
        Layer::Finally { takes } => options.push(format!("|exit| {{ {mentions}finally_of(call, exit, {takes}) }}")),
        Layer::Cancellable { cleanup, or_else } => {
            options.push(format!("token = {}", each_call("token", "token()".to_owned(), "token()".to_owned())));
            options.extend(cleanup.map(|takes| format!("cleanup = {{ {mentions}cleanup_of(call, {takes}) }}")));
            options.extend(rejected(spec, *or_else, mentions));
        }
        Layer::Warn => options.push(duration("warn", 3_600_000)),
    }
    let name = name(layer);
    if options.is_empty() { name.to_owned() } else { format!("{name}({})", options.join(", ")) }
}

/// An `or_else` that records its evaluation.
fn rejected(spec: &Spec, or_else: Option<bool>, mentions: &str) -> Option<String> {
    let value = match (spec.output, or_else?) {
        (Output::Result | Output::Unshared, true) => "Ok(7_001)",
        (Output::Result, false) => "Err(Failure::Application(7_002))",
        (Output::Unshared, false) => "Err(Unshared(Failure::Application(7_002)))",
        (Output::Option, true) => "Some(7_001)",
        (Output::Option, false) => "None",
        (Output::Plain, _) => "7_001",
    };
    Some(format!("or_else = |_error| {{ {mentions}option(call, \"or_else\"); {value} }}"))
}

fn retries(spec: &Spec, retry: &Retry) -> Vec<String> {
    let mut options = vec![format!("delay = {}ms", retry.delay)];
    // The other options have no effect on a delay of zero, and are rejected.
    if retry.delay > 0 {
        options.push(format!("factor = {}, jitter = none", retry.factor));
        options.extend(retry.max_delay.map(|most| format!("max_delay = {most}ms")));
    }
    options.extend(retry.max_elapsed.map(|most| format!("max_elapsed = {most}ms")));
    options.extend(which(spec, retry.when));
    options.extend(plain_failure(spec));
    let error = if spec.output == Output::Unshared { "error.0" } else { "error" };
    options.extend(retry.asked.map(|time| format!("retry_after = |error| {error}.is_application().then(|| ms({time}))")));
    if retry.reports {
        options.push("on_retry = |event| option(call, &format!(\"again in {:?}\", event.delay()))".to_owned());
    }
    if !retry.clones.is_empty() {
        options.push(format!("clone({})", retry.clones.join(", ")));
    }
    options
}

fn which(spec: &Spec, when: When) -> Option<String> {
    let error = if spec.output == Output::Unshared { "error.0" } else { "error" };
    let not = match when {
        When::Always => return None,
        When::Application => "",
        When::Policy => "!",
    };
    let notes = if spec.notes { "option(call, \"when\"); " } else { "" };
    Some(format!("when = |error| {{ {notes}{not}{error}.is_application() }}"))
}

fn plain_failure(spec: &Spec) -> Option<String> {
    (spec.output == Output::Plain).then(|| "failure = |outcome| *outcome >= 9_000".to_owned())
}

fn stand_in(spec: &Spec, fallback: &Fallback, mentions: &str) -> String {
    let value = match (spec.output, fallback.fails) {
        (Output::Result | Output::Unshared, false) => "Ok(8_001)",
        (Output::Result, true) => "Err(Failure::Application(8_002))",
        (Output::Unshared, true) => "Err(Unshared(Failure::Application(8_002)))",
        (_, false) => "Some(8_001)",
        (_, true) => "None",
    };
    let mut block = format!("{mentions}option(call, \"fallback\"); ");
    if let Some(takes) = fallback.takes {
        write!(block, "sleep(ms({takes})).await; option(call, \"fallback is there\"); ").expect("text");
    }
    if fallback.panics {
        block += "panics(\"fallback\"); ";
    }
    format!("{}{{ {block}{value} }}", if fallback.closure { "|_error| " } else { "" })
}

fn keyed(spec: &Spec, skips: bool, key: &str) -> String {
    if !skips {
        return format!("key = {key}");
    }
    let skipped = spec.arguments.iter().flat_map(|argument| {
        let mut names = vec![argument.name];
        names.extend((argument.kind == Kind::Pair).then(|| second(argument.name)));
        let unused = argument.usage == Usage::Unused;
        names.into_iter().map(move |name| if unused { format!("_{name}") } else { name.to_owned() })
    });
    format!("skip({})", skipped.fold("call".to_owned(), |all, name| all + ", " + &name))
}
