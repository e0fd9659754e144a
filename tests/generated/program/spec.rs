//! A generated function: its stack, what its body does, and how it is called. Everything follows from a seed.
//!
//! Times are milliseconds of the paused clock. Each kind of duration has its own remainder modulo 100, so that two timers of a call rarely
//! fire at the same moment: the documentation leaves their order open then.

use fastrand::Rng;

/// One function and one scenario.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) output: Output,
    pub(crate) shape: Shape,
    pub(crate) arguments: Vec<Argument>,
    /// Outermost first.
    pub(crate) stack: Vec<Layer>,
    /// For each layer: the argument that one of its options names.
    pub(crate) mentions: Vec<Option<&'static str>>,
    /// Whether options that are evaluated at every call record when.
    pub(crate) notes: bool,
    /// The layer whose option panics in every second call.
    pub(crate) panics_at: Option<usize>,
    /// Whether the body ends with `?`.
    pub(crate) asks: bool,
    /// What the body does in its first run of a call, its second, and so on; the last one repeats.
    pub(crate) script: Vec<Run>,
    pub(crate) calls: Vec<Call>,
    /// When the token of `cancellable` is cancelled.
    pub(crate) cancelled_at: Option<u64>,
}

/// The return type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// `Result<u32, Failure>`, behind an alias.
    Result,
    /// The same with an error that is not `Clone`.
    Unshared,
    Option,
    /// `u32`: values of 9000 and more are failures to a `failure` option.
    Plain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Free,
    Method,
    ArcMethod,
    Trait,
    /// `fn .. -> impl Future`.
    Returned,
    /// `fn .. -> Pin<Box<dyn Future ..>>`.
    Boxed,
}

#[derive(Debug, Clone)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) usage: Usage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Owned,
    /// A pair, destructured by the pattern; the second part is named `<name>_2`.
    Pair,
    Generic,
    Impl,
    Str,
    Number,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    Touched,
    Moved,
    Mutated,
    Unused,
}

#[derive(Debug, Clone)]
pub(crate) enum Layer {
    Timeout { limit: u64, or_else: Option<bool> },
    Retry(Retry),
    Fallback(Fallback),
    Cached { ttl: Option<u64>, error_ttl: Option<u64>, single_flight: bool, detached: bool, skips: bool },
    Coalesce { skips: bool },
    Breaker { failures: u32, open_for: u64, when: When, or_else: Option<bool> },
    Rate { interval: u64, burst: u32, max_wait: Option<u64>, keyed: bool, or_else: Option<bool> },
    Limit { permits: usize, max_wait: Option<u64>, queue: Option<usize>, or_else: Option<bool> },
    Hedge { after: u64, max: usize },
    Shield,
    Finally { takes: u64 },
    Cancellable { cleanup: Option<u64>, or_else: Option<bool> },
    Warn,
}

#[derive(Debug, Clone)]
pub(crate) struct Retry {
    pub(crate) attempts: u32,
    pub(crate) delay: u64,
    pub(crate) factor: u32,
    pub(crate) max_delay: Option<u64>,
    pub(crate) max_elapsed: Option<u64>,
    pub(crate) when: When,
    /// The `retry_after` of the errors of the body.
    pub(crate) asked: Option<u64>,
    pub(crate) reports: bool,
    /// Names in `clone(..)`.
    pub(crate) clones: Vec<&'static str>,
}

/// Which errors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Always,
    /// Those that the body returns.
    Application,
    /// Rejections by the library.
    Policy,
}

#[derive(Debug, Clone)]
pub(crate) struct Fallback {
    pub(crate) closure: bool,
    /// How long the value awaits.
    pub(crate) takes: Option<u64>,
    pub(crate) panics: bool,
    /// Whether the value is another failure.
    pub(crate) fails: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// One before the arguments are used, one after.
    pub(crate) steps: [Step; 2],
    pub(crate) succeeds: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Nothing,
    Yield,
    Sleep(u64),
    Hang,
    Panic,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) at: u64,
    pub(crate) key: u32,
    /// The caller drops it after this time.
    pub(crate) dropped_after: Option<u64>,
}

impl Spec {
    pub(crate) fn of(seed: u64) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let output = *pick(rng, &[Output::Result, Output::Result, Output::Unshared, Output::Option, Output::Plain]);
        let mut stack = stack(rng, output);
        // From numbers of its own.
        let cut = (seed % 4 == 3).then(|| cut(&mut Rng::with_seed(!seed), output));
        let first = cut.map(|(cut, first)| {
            stack = cut;
            first
        });
        let shielded = stack.iter().any(Layer::spawns);
        let shapes: &[Shape] = if shielded {
            &[Shape::Free, Shape::Free, Shape::ArcMethod, Shape::Returned, Shape::Boxed]
        } else {
            &[Shape::Free, Shape::Free, Shape::Method, Shape::ArcMethod, Shape::Trait, Shape::Returned, Shape::Boxed]
        };
        let mut spec = Self {
            output,
            shape: *pick(rng, shapes),
            arguments: Vec::new(),
            mentions: vec![None; stack.len()],
            notes: rng.bool(),
            panics_at: (rng.u8(..6) == 0).then(|| rng.usize(..6)),
            asks: rng.bool(),
            stack,
            script: (0..rng.usize(1..4)).map(|_| run(rng)).collect(),
            calls: calls(rng),
            cancelled_at: rng.bool().then(|| rng.u64(0..9) * 100 + 57),
        };
        spec.script[0].steps[0] = first.unwrap_or(spec.script[0].steps[0]);
        spec.add_arguments(rng, shielded);
        spec.mention_arguments(rng);
        spec.skip_where_keys_allow_it();
        spec
    }

    fn add_arguments(&mut self, rng: &mut Rng, shielded: bool) {
        // Some of these are also parameters of closures in the stack.
        let mut names = vec!["a", "b", "error", "exit", "event", "outcome", "value"];
        rng.shuffle(&mut names);
        // Without attributes, too, what the future of a `fn` does not mention is dropped before it runs.
        let all_used = matches!(self.shape, Shape::Returned | Shape::Boxed);
        for name in names.into_iter().take(rng.usize(0..4)) {
            let mut kind = *pick(rng, &[Kind::Owned, Kind::Owned, Kind::Pair, Kind::Generic, Kind::Impl, Kind::Str, Kind::Number]);
            let borrows =
                matches!(kind, Kind::Number) && shielded || matches!(kind, Kind::Str | Kind::Number) && self.shape == Shape::Boxed;
            let opaque = matches!(kind, Kind::Generic | Kind::Impl) && self.shape == Shape::Boxed;
            if borrows || opaque {
                kind = Kind::Owned;
            }
            let mut usage = *pick(rng, &[Usage::Touched, Usage::Touched, Usage::Moved, Usage::Mutated, Usage::Unused]);
            match kind {
                Kind::Str | Kind::Number if usage != Usage::Unused => usage = Usage::Touched,
                _ => {}
            }
            if usage == Usage::Unused && all_used {
                usage = Usage::Touched;
            }
            let argument = Argument { name, kind, usage };
            if !self.fits(&argument) {
                usage = Usage::Touched;
            }
            if usage == Usage::Moved {
                self.name_in_clone(&argument);
            }
            self.arguments.push(Argument { usage, ..argument });
        }
    }

    /// Lets options name arguments that the body only borrows.
    fn mention_arguments(&mut self, rng: &mut Rng) {
        let noisy = |argument: &&Argument| !matches!(argument.kind, Kind::Str | Kind::Number) && argument.usage == Usage::Touched;
        let names: Vec<_> = self.arguments.iter().filter(noisy).map(|argument| argument.name).collect();
        if names.is_empty() {
            return;
        }
        for (mention, layer) in self.mentions.iter_mut().zip(&self.stack) {
            let can = !matches!(layer, Layer::Shield | Layer::Breaker { or_else: None, .. });
            // Shadowed by the closure's own parameter.
            let hidden = |name: &&str| matches!(layer, Layer::Finally { .. }) && *name == "exit";
            *mention = (can && rng.u8(..3) == 0).then(|| *pick(rng, &names)).filter(|name| !hidden(name));
        }
    }

    /// Whether the body may do this: concurrent attempts can neither change nor consume what they borrow.
    fn fits(&self, argument: &Argument) -> bool {
        let shield = self.position(Layer::spawns).unwrap_or(usize::MAX);
        let hedge = self.position(|layer| matches!(layer, Layer::Hedge { .. }));
        let hedged = hedge.is_some_and(|hedge| shield == usize::MAX || hedge > shield);
        !(hedged && argument.usage == Usage::Moved || hedge.is_some() && argument.usage == Usage::Mutated)
    }

    /// Attempts on the caller's task need the consumed arguments in `clone(..)`.
    fn name_in_clone(&mut self, argument: &Argument) {
        let shield = self.position(Layer::spawns);
        for (index, layer) in self.stack.iter_mut().enumerate() {
            if let Layer::Retry(retry) = layer
                && shield.is_none_or(|shield| shield < index)
            {
                retry.clones.push(argument.name);
                if argument.kind == Kind::Pair {
                    retry.clones.push(second(argument.name));
                }
            }
        }
    }

    /// `skip(..)` names all arguments but the key, and is used for free functions only.
    fn skip_where_keys_allow_it(&mut self) {
        let free = self.shape == Shape::Free;
        for layer in &mut self.stack {
            if let Layer::Cached { skips, .. } | Layer::Coalesce { skips } = layer {
                *skips &= free;
            }
        }
    }

    pub(crate) fn position(&self, is: impl Fn(&Layer) -> bool) -> Option<usize> {
        self.stack.iter().position(is)
    }
}

impl Layer {
    /// Whether everything below runs on its own task.
    pub(crate) fn spawns(&self) -> bool {
        matches!(self, Self::Shield | Self::Cached { detached: true, .. })
    }
}

/// The name of the second part of a pair.
pub(crate) fn second(name: &str) -> &'static str {
    match name {
        "a" => "a_2",
        "b" => "b_2",
        "error" => "error_2",
        "exit" => "exit_2",
        "event" => "event_2",
        "outcome" => "outcome_2",
        _ => "value_2",
    }
}

fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(..from.len())]
}

fn run(rng: &mut Rng) -> Run {
    let mut step = || match rng.u32(..12) {
        4 => Step::Yield,
        5..10 => Step::Sleep(rng.u64(1..5) * 100),
        10 if rng.bool() => Step::Panic,
        11 => Step::Hang,
        _ => Step::Nothing,
    };
    Run { steps: [step(), step()], succeeds: rng.bool() }
}

fn calls(rng: &mut Rng) -> Vec<Call> {
    let spread = *pick(rng, &[1, 4, 20]);
    (0..rng.u64(1..6))
        .map(|number| Call {
            at: rng.u64(..spread) * 100 + number * 7,
            key: u32::from(rng.u8(..4) == 0),
            dropped_after: (rng.u8(..4) == 0).then(|| rng.u64(..6) * 100 + 3),
        })
        .collect()
}

fn stack(rng: &mut Rng, output: Output) -> Vec<Layer> {
    let mut kinds: Vec<u32> = (0..15).collect();
    rng.shuffle(&mut kinds);
    let length = *pick(rng, &[1, 2, 2, 3, 3, 3, 4, 4, 5, 6]);
    kinds.into_iter().filter_map(|kind| layer(rng, kind, output)).take(length).collect()
}

/// A stack in which a layer in the middle cuts the call short, while one above it takes long to go on and one below it holds something;
/// and how the body begins. Few random stacks do all of this.
fn cut(rng: &mut Rng, output: Output) -> (Vec<Layer>, Step) {
    let mut above = [*pick(rng, &[3, 5, 6, 8, 9, 12, 14]), *pick(rng, &[3, 4, 4, 12])];
    rng.shuffle(&mut above);
    let (cuts, holds) = (*pick(rng, &[0, 0, 13]), *pick(rng, &[5, 6, 7, 7, 9, 9, 12]));
    let mut kinds: Vec<u32> = Vec::new();
    for kind in above.into_iter().chain([cuts, holds]) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let mut stack: Vec<Layer> = kinds.into_iter().filter_map(|kind| layer(rng, kind, output)).collect();
    for layer in &mut stack {
        match layer {
            Layer::Timeout { limit, .. } => *limit = rng.u64(..3) * 100 + 31,
            Layer::Fallback(fallback) => fallback.takes = Some(rng.u64(2..9) * 100 + 11),
            Layer::Retry(retry) => (retry.delay, retry.max_delay) = (rng.u64(..4) * 150, None),
            Layer::Limit { permits, .. } => *permits = 1,
            Layer::Finally { takes } => *takes = rng.u64(..5) * 100 + 29,
            _ => {}
        }
    }
    (stack, Step::Sleep(rng.u64(2..7) * 100))
}

fn layer(rng: &mut Rng, kind: u32, output: Output) -> Option<Layer> {
    let plain = output == Output::Plain;
    let or_else = |rng: &mut Rng| if plain { Some(true) } else { (rng.u8(..4) == 0).then(|| rng.bool()) };
    let has_errors = matches!(output, Output::Result | Output::Unshared);
    let when = |rng: &mut Rng| {
        if has_errors { *pick(rng, &[When::Always, When::Application, When::Policy]) } else { When::Always }
    };
    Some(match kind {
        // May be repeated.
        0..3 => Layer::Timeout { limit: rng.u64(..9) * 100 + 31, or_else: or_else(rng) },
        3 => Layer::Retry(Retry {
            attempts: rng.u32(1..5),
            delay: rng.u64(..4) * 50,
            factor: rng.u32(1..3),
            max_delay: rng.bool().then_some(150),
            max_elapsed: rng.bool().then(|| rng.u64(..8) * 100 + 23),
            when: when(rng),
            asked: (has_errors && rng.u8(..3) == 0).then(|| rng.u64(..4) * 100 + 9),
            reports: rng.bool(),
            clones: Vec::new(),
        }),
        4 if plain => return None,
        4 => Layer::Fallback(Fallback {
            closure: rng.bool(),
            takes: rng.bool().then(|| rng.u64(..9) * 100 + 11),
            panics: rng.u8(..6) == 0,
            fails: rng.u8(..3) == 0,
        }),
        5 => Layer::Cached {
            ttl: rng.bool().then(|| rng.u64(..9) * 100 + 71),
            error_ttl: (output == Output::Result && rng.u8(..3) == 0).then(|| rng.u64(..5) * 100 + 73),
            single_flight: rng.u8(..4) != 0,
            detached: rng.u8(..4) == 0,
            skips: rng.bool(),
        },
        6 => Layer::Coalesce { skips: rng.bool() },
        7 => Layer::Breaker { failures: rng.u32(1..4), open_for: rng.u64(..5) * 100 + 43, when: when(rng), or_else: or_else(rng) },
        8 => Layer::Rate {
            interval: rng.u64(1..5) * 100,
            burst: rng.u32(1..4),
            max_wait: rng.bool().then(|| rng.u64(..8) * 100 + 13),
            keyed: rng.u8(..3) == 0,
            or_else: or_else(rng),
        },
        9 => {
            let max_wait = rng.bool().then(|| rng.u64(..5) * 100 + rng.u64(..2) * 19);
            let queue = (max_wait != Some(0) && rng.u8(..3) == 0).then(|| rng.usize(usize::from(max_wait.is_some())..3));
            let rejects = max_wait.is_some() || queue.is_some();
            Layer::Limit { permits: rng.usize(1..3), max_wait, queue, or_else: or_else(rng).filter(|_| rejects) }
        }
        10 => Layer::Hedge { after: rng.u64(..4) * 100 + 17, max: rng.usize(1..3) },
        11 => Layer::Shield,
        12 => Layer::Finally { takes: rng.u64(..3) * 100 + rng.u64(..2) * 29 },
        13 => Layer::Cancellable { cleanup: rng.bool().then(|| rng.u64(..3) * 100), or_else: or_else(rng) },
        _ => Layer::Warn,
    })
}
