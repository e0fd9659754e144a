//! The imports between the files of a crate, as a graph.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Crate, Import, ModulePath};

/// From a file to those that it imports from, and the line that does.
pub(crate) struct Graph {
    files: BTreeMap<String, BTreeMap<String, usize>>,
    pub(crate) faults: Vec<String>,
}

/// What a path leads to.
enum Found {
    /// The module that defines it, and the modules through whose re-exports the way went.
    Here(ModulePath, Vec<ModulePath>),
    /// Something of another crate, or of the body of a function.
    Elsewhere,
    /// It begins in this crate, and leads nowhere.
    Nowhere,
}

impl Graph {
    pub(crate) fn of(sources: &Crate) -> Self {
        let mut graph = Self { files: BTreeMap::new(), faults: Vec::new() };
        for (path, module) in &sources.modules {
            graph.files.entry(module.file.clone()).or_default();
            for import in &module.imports {
                graph.add(sources, path, import);
            }
        }
        graph
    }

    fn add(&mut self, sources: &Crate, from: &ModulePath, Import { path, line, .. }: &Import) {
        let file = |module: &ModulePath| sources.modules[module].file.clone();
        let (own, text) = (file(from), path.join("::"));
        match find(sources, from, path) {
            Found::Here(target, through) => {
                let target = file(&target);
                if target == own {
                    return;
                }
                // What goes through a module above is named by where it is defined. Of a name that is in scope, the `use` is at fault.
                let is_whole = matches!(&*path[0], "crate" | "super" | "self");
                let above = through.iter().find(|through| is_whole && file(through) != own && from.starts_with(through));
                if let Some(above) = above {
                    self.faults.push(format!("{own}:{line} imports `{text}` through {}: it is defined in {target}", file(above)));
                }
                self.files.entry(own).or_default().entry(target).or_insert(*line);
            }
            Found::Elsewhere => {}
            Found::Nowhere => self.faults.push(format!("{own}:{line} imports `{text}`, which was not found")),
        }
    }

    pub(crate) fn modules(&self) -> usize {
        self.files.len()
    }

    pub(crate) fn arrows(&self) -> usize {
        self.files.values().map(BTreeMap::len).sum()
    }

    /// One circle of each group of files that import each other.
    pub(crate) fn circles(&self) -> Vec<String> {
        let (mut circles, mut done) = (Vec::new(), BTreeSet::new());
        for start in self.files.keys() {
            if done.contains(start) {
                continue;
            }
            if let Some(circle) = self.way(start, start) {
                // Of the others in the group it is the same fault.
                done.extend(
                    self.files.keys().filter(|other| self.way(start, other).is_some() && self.way(other, start).is_some()).cloned(),
                );
                let lines = circle.windows(2).map(|pair| format!("{}:{}", pair[0], self.files[&pair[0]][&pair[1]]));
                circles.push(lines.chain([start.clone()]).collect::<Vec<_>>().join(" -> "));
            }
        }
        circles
    }

    /// The shortest way along arrows.
    fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut row = vec![from];
        while !row.is_empty() {
            let mut next = Vec::new();
            for file in row {
                for target in self.files.get(file)?.keys() {
                    if !before.contains_key(&**target) {
                        before.insert(target, file);
                        next.push(&**target);
                    }
                }
            }
            row = next;
            if before.contains_key(to) {
                let mut way = vec![to.to_owned()];
                loop {
                    let last = before[way[way.len() - 1].as_str()];
                    way.push(last.to_owned());
                    if last == from {
                        way.reverse();
                        return Some(way);
                    }
                }
            }
        }
        None
    }
}

/// Follows a path that is written in the module `from`.
fn find(sources: &Crate, from: &ModulePath, path: &[String]) -> Found {
    let (base, rest) = match &*path[0] {
        "crate" => (ModulePath::new(), &path[1..]),
        "self" => (from.clone(), &path[1..]),
        "super" => {
            let supers = path.iter().take_while(|name| *name == "super").count();
            (from[..from.len().saturating_sub(supers)].to_vec(), &path[supers..])
        }
        // A module of this one, or what it has imported; a function's own modules cannot be told from other crates.
        _ => {
            let through = Vec::new();
            return follow(sources, from, path, through, &[])
                .filter(|(target, _)| *target != *from)
                .map_or(Found::Elsewhere, |(target, through)| Found::Here(target, through));
        }
    };
    if rest.is_empty() || rest.iter().all(|name| name == "*") {
        return if sources.modules.contains_key(&base) { Found::Here(base, Vec::new()) } else { Found::Nowhere };
    }
    match follow(sources, &base, rest, Vec::new(), &[]) {
        Some((target, through)) => Found::Here(target, through),
        None => Found::Nowhere,
    }
}

/// The module that defines what `path` is in `base`.
fn follow(
    sources: &Crate,
    base: &ModulePath,
    path: &[String],
    mut through: Vec<ModulePath>,
    seen: &[(ModulePath, String)],
) -> Option<(ModulePath, Vec<ModulePath>)> {
    let Some(name) = path.first() else { return Some((base.clone(), through)) };
    let module = sources.modules.get(base)?;
    // A name that is imported by way of itself is another crate's.
    let step = (base.clone(), name.clone());
    if seen.contains(&step) {
        return None;
    }
    let seen = &[seen, &[step]].concat();
    let child: ModulePath = base.iter().cloned().chain([name.clone()]).collect();
    if sources.modules.contains_key(&child)
        && let Some(found) = follow(sources, &child, &path[1..], through.clone(), seen)
    {
        return Some(found);
    }
    // A module and a function may have the same name.
    if module.items.contains(name) && (path.len() == 1 || !sources.modules.contains_key(&child)) {
        return Some((base.clone(), through));
    }
    let named = module.imports.iter().filter(|import| import.name.as_ref() == Some(name));
    let globs = module.imports.iter().filter(|import| import.name.as_deref() == Some("*"));
    let ways =
        named.map(|import| import.path.clone()).chain(globs.map(|import| import.path.iter().chain([name]).cloned().collect()));
    through.push(base.clone());
    for mut way in ways.collect::<Vec<Vec<String>>>() {
        way.extend_from_slice(&path[1..]);
        let (start, rest) = match &*way[0] {
            "crate" => (ModulePath::new(), &way[1..]),
            "self" => (base.clone(), &way[1..]),
            "super" => {
                let supers = way.iter().take_while(|name| *name == "super").count();
                (base[..base.len().saturating_sub(supers)].to_vec(), &way[supers..])
            }
            _ => (base.clone(), &way[..]),
        };
        if let Some(found) = follow(sources, &start, rest, through.clone(), seen) {
            return Some(found);
        }
    }
    None
}
