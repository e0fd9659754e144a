//! What a file of Rust imports and defines, read off its tokens.

use std::collections::{BTreeMap, BTreeSet};

/// A path of modules below the crate's root; of the root it is empty.
pub(crate) type ModulePath = Vec<String>;

/// A crate's modules, those that are written within another one's file included.
pub(crate) struct Crate {
    pub(crate) modules: BTreeMap<ModulePath, Module>,
}

#[derive(Default)]
pub(crate) struct Module {
    /// The file in which it is written.
    pub(crate) file: String,
    /// What it defines, its modules included.
    pub(crate) items: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
}

pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    /// Under which name the module has it: `*` for all, nothing for a path in an expression.
    pub(crate) name: Option<String>,
    pub(crate) line: usize,
}

impl Crate {
    pub(crate) fn parse(files: &[(String, String)]) -> Self {
        let mut modules = BTreeMap::new();
        let mut tests = Vec::new();
        for (file, text) in files {
            let tokens = tokens(text);
            Parser { modules: &mut modules, tests: &mut tests, file, tokens: &tokens, at: 0 }.file();
        }
        modules.retain(|path, _| !tests.iter().any(|test: &ModulePath| path.starts_with(test)));
        Self { modules }
    }
}

/// The module that a file is: `cache/store/mod.rs` is `cache::store`.
fn module_of(file: &str) -> ModulePath {
    let mut path: ModulePath = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(path.last().map(String::as_str), Some("mod" | "lib")) {
        path.pop();
    }
    path
}

#[derive(Debug, Clone, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

/// Names, `::` and single signs, without comments and literals.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    let starts = |at: usize, what: &str| what.chars().enumerate().all(|(offset, sign)| chars.get(at + offset) == Some(&sign));
    let is_name = |sign: Option<&char>| sign.is_some_and(|sign| sign.is_alphanumeric() || *sign == '_');
    while at < chars.len() {
        let begin = at;
        if starts(at, "//") {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if starts(at, "/*") {
            let mut depth = 0;
            loop {
                depth += i32::from(starts(at, "/*")) - i32::from(starts(at, "*/"));
                at += if starts(at, "/*") || starts(at, "*/") { 2 } else { 1 };
                if depth == 0 || at >= chars.len() {
                    break;
                }
            }
        } else if let Some(end) = raw_string(&chars, at) {
            at = end;
        } else if chars[at] == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if chars[at] == '\'' {
            // A lifetime has no second quote.
            let escaped = chars.get(at + 1) == Some(&'\\');
            let end = (at + 2..chars.len())
                .find(|end| chars[*end] == '\'' && (escaped || *end == at + 2) && *end > at + 1 + usize::from(escaped));
            at = end.map_or(at + 1, |end| end + 1);
        } else if is_name(chars.get(at)) {
            while is_name(chars.get(at)) {
                at += 1;
            }
            tokens.push(Token { text: chars[begin..at].iter().collect(), line });
        } else {
            at += if starts(at, "::") { 2 } else { 1 };
            if !chars[begin].is_whitespace() {
                tokens.push(Token { text: chars[begin..at].iter().collect(), line });
            }
        }
        line += chars[begin..at.min(chars.len())].iter().filter(|sign| **sign == '\n').count();
    }
    tokens
}

/// The end of the raw string that begins here.
fn raw_string(chars: &[char], at: usize) -> Option<usize> {
    let at = if chars[at] == 'b' || chars[at] == 'c' { at + 1 } else { at };
    if chars.get(at) != Some(&'r') {
        return None;
    }
    let hashes = chars[at + 1..].iter().take_while(|sign| **sign == '#').count();
    let open = at + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let closes =
        |end: usize| chars[end] == '"' && chars[end + 1..].iter().take(hashes).filter(|sign| **sign == '#').count() == hashes;
    (open + 1..chars.len()).find(|end| closes(*end)).map(|end| end + 1 + hashes)
}

struct Parser<'a> {
    modules: &'a mut BTreeMap<ModulePath, Module>,
    /// The modules that are there for tests only.
    tests: &'a mut Vec<ModulePath>,
    file: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn file(&mut self) {
        let path = module_of(self.file);
        self.module(&path);
    }

    fn text(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| &token.text)
    }

    fn before(&self) -> &str {
        self.at.checked_sub(1).map_or("", |before| &self.tokens[before].text)
    }

    /// The inside of a module, to its closing brace.
    fn module(&mut self, path: &ModulePath) {
        let mut module = Module { file: self.file.to_owned(), ..Module::default() };
        // What a macro is given at the top of the module, it may define: `pin_project! { struct X { .. } }`.
        let (mut depth, mut is_test, mut in_macro) = (0, false, false);
        while self.at < self.tokens.len() {
            let line = self.tokens[self.at].line;
            match self.text(0) {
                "#" if self.text(1) == "[" || self.text(2) == "[" => is_test |= self.attribute(),
                "{" => {
                    in_macro |= depth == 0 && self.before() == "!";
                    (depth, self.at) = (depth + 1, self.at + 1);
                }
                "}" if depth == 0 => break,
                "}" => {
                    (depth, self.at) = (depth - 1, self.at + 1);
                    in_macro &= depth > 0;
                }
                ";" => (is_test, self.at) = (false, self.at + 1),
                "pub" if self.text(1) == "(" => self.at += 1 + self.ahead_to(")"),
                "mod" if matches!(self.text(2), "{" | ";") => {
                    let name = self.text(1).to_owned();
                    let inner: ModulePath = path.iter().cloned().chain([name.clone()]).collect();
                    if is_test {
                        self.tests.push(inner.clone());
                    }
                    let is_inline = self.text(2) == "{";
                    module.items.insert(name);
                    self.at += 3;
                    if is_inline {
                        self.module(&inner);
                        self.at += 1;
                    }
                    is_test = false;
                }
                "use" => {
                    self.at += 1;
                    let mut imports = Vec::new();
                    self.tree(&[], &mut imports);
                    if !is_test {
                        module.imports.extend(imports);
                    }
                    is_test = false;
                }
                "struct" | "enum" | "union" | "trait" | "fn" | "const" | "static" | "type" => {
                    if depth == 0 || in_macro {
                        let name = if self.text(1) == "fn" { self.text(2) } else { self.text(1) };
                        module.items.insert(name.to_owned());
                        is_test = false;
                    }
                    self.at += 1;
                }
                "macro_rules" => {
                    module.items.insert(self.text(2).to_owned());
                    self.at += 3;
                }
                // `$crate::..` is a path in the crate that the macro is used in.
                _ if self.text(1) == "::" && !matches!(self.before(), "::" | "$") => {
                    let mut names = vec![self.text(0).to_owned()];
                    while self.text(1) == "::" && self.text(2).starts_with(|sign: char| sign.is_alphabetic() || sign == '_') {
                        self.at += 2;
                        names.push(self.text(0).to_owned());
                    }
                    self.at += 1;
                    module.imports.push(Import { path: names, name: None, line });
                }
                _ => self.at += 1,
            }
        }
        self.modules.insert(path.clone(), module);
    }

    /// Skips an attribute. Whether it says that what follows is for tests only.
    fn attribute(&mut self) -> bool {
        let begin = self.at;
        let mut depth = 0;
        loop {
            depth += i32::from(self.text(0) == "[") - i32::from(self.text(0) == "]");
            self.at += 1;
            if depth == 0 && self.before() == "]" || self.at >= self.tokens.len() {
                break;
            }
        }
        let names: Vec<&str> = self.tokens[begin..self.at].iter().map(|token| &*token.text).collect();
        names == ["#", "[", "cfg", "(", "test", ")", "]"]
    }

    fn ahead_to(&self, what: &str) -> usize {
        self.tokens[self.at..].iter().position(|token| token.text == what).unwrap_or(0)
    }

    /// The tree of a `use`, to the sign behind it.
    fn tree(&mut self, prefix: &[String], imports: &mut Vec<Import>) {
        let mut path = prefix.to_vec();
        loop {
            let line = self.tokens.get(self.at).map_or(0, |token| token.line);
            let name = self.text(0).to_owned();
            self.at += 1;
            match &*name {
                "{" => {
                    while !matches!(self.text(0), "}" | "") {
                        self.tree(&path, imports);
                        self.at += usize::from(self.text(0) == ",");
                    }
                    self.at += 1;
                    return;
                }
                "*" => return imports.push(Import { path, name: Some(name), line }),
                "::" => {}
                _ => {
                    if name != "self" || path.is_empty() {
                        path.push(name);
                    }
                    if self.text(0) == "::" {
                        continue;
                    }
                    let mut name = path.last().cloned();
                    if self.text(0) == "as" {
                        name = Some(self.text(1).to_owned());
                        self.at += 2;
                    }
                    return imports.push(Import { path, name, line });
                }
            }
        }
    }
}
