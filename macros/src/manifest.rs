//! The name of the library in the `Cargo.toml` of the user's package.

use std::path::Path;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// The path to the library, unless an attribute sets another.
pub(crate) fn root() -> TokenStream {
    let name = Ident::new(&renamed().unwrap_or_else(|| "steadfast".to_owned()), Span::call_site());
    quote!(::#name)
}

/// The name that `steadfast` is renamed to by `name = { package = "steadfast", .. }`, unless it is also available under its own.
///
/// Only used without `crate = path`. If there is no manifest, or it cannot be understood, the library keeps its own name.
fn renamed() -> Option<String> {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR")?;
    renamed_in(&std::fs::read_to_string(Path::new(&folder).join("Cargo.toml")).ok()?)
}

fn renamed_in(manifest: &str) -> Option<String> {
    let (mut renamed, mut section) = (None, "");
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.split(']').next().unwrap_or_default();
        }
        let (parent, own) = section.rsplit_once('.').unwrap_or(("", section));
        let (key, value) = line.split_once('=').map_or(("", ""), |(key, value)| (key.trim(), value));
        // `[dependencies]` with `name = ..`, or `[dependencies.name]` with `package = ..`.
        let (name, package) = if is_dependencies(own) {
            (key.split('.').next().unwrap_or_default(), value.split_once("package").map(|(_, value)| value))
        } else if is_dependencies(parent.rsplit('.').next().unwrap_or_default()) {
            (own, (key == "package").then_some(value))
        } else {
            continue;
        };
        let name = name.trim_matches(['"', '\'']);
        match package.map(|package| package.split(['"', '\'']).nth(1)) {
            Some(Some("steadfast")) => renamed = Some(name.replace('-', "_")),
            None if name == "steadfast" => return None,
            _ => {}
        }
    }
    renamed.filter(|name| name != "steadfast")
}

fn is_dependencies(section: &str) -> bool {
    section == "dependencies" || section == "dev-dependencies"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_another_name() {
        for manifest in [
            "[dependencies]\nresilience = { package = \"steadfast\", version = \"0.1\" }",
            "[package]\nname = \"steadfast\"\n[dev-dependencies]\nresilience = { version = \"0.1\", package = 'steadfast' }",
            "[dependencies.resilience]\nversion = \"0.1\"\npackage = \"steadfast\"\n[features]",
            "[target.'cfg(unix)'.dependencies]\nserde = \"1\"\nresilience = { package = \"steadfast\" } # ours",
            "[target.\"cfg(unix)\".dependencies.resilience]\npackage = \"steadfast\"",
        ] {
            assert_eq!(renamed_in(manifest).as_deref(), Some("resilience"), "{manifest}");
        }
        assert_eq!(renamed_in("[dependencies]\nas-if = { package = \"steadfast\" }").as_deref(), Some("as_if"));
    }

    #[test]
    fn leaves_its_own() {
        for manifest in [
            "",
            "[dependencies]\nsteadfast = \"0.1\"",
            "[dependencies]\nsteadfast.workspace = true\nnew = { package = \"steadfast\", version = \"0.2\" }",
            "[dependencies]\nnew = { package = \"steadfast\", version = \"0.2\" }\n[dependencies.steadfast]\nversion = \"0.1\"",
            "[dependencies]\nserde = { package = \"steadfast-serde\" }",
            "[dependencies]\nserde = \"1\"\n[package.metadata]\nresilience = { package = \"steadfast\" }",
            "[package]\nname = \"steadfast\"",
        ] {
            assert_eq!(renamed_in(manifest), None, "{manifest}");
        }
    }
}
