//! The README matches the repository.

use std::path::Path;

use crate::files::read;

/// The code blocks of a language, in order.
fn blocks<'a>(markdown: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    markdown.split(&fence).skip(1).map(|block| block.split("```").next().expect("a block")).collect()
}

/// The front page of the documentation, as Markdown.
fn front_page() -> String {
    let source = read("runtime/src/lib.rs");
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.flat_map(|line| [line.strip_prefix(' ').unwrap_or(line), "\n"]).collect()
}

/// The README cannot hide the lines that make its programs compile. The front page can, and its programs are doctests.
#[test]
fn the_programs_of_the_readme_are_doctests_of_the_front_page() {
    let (readme, front_page) = (read("README.md"), front_page());
    let shown = |program: &&str| program.lines().filter(|line| !line.starts_with("# ")).flat_map(|line| [line, "\n"]).collect();
    // Every second one is between two blocks.
    let tested: Vec<String> = front_page.split("```\n").skip(1).step_by(2).collect::<Vec<_>>().iter().map(shown).collect();
    let programs = blocks(&readme, "rust");
    assert_eq!(programs.len(), 2);
    for program in programs {
        assert!(tested.iter().any(|tested| tested == program), "a program that nothing compiles: {program}");
    }
}

#[test]
fn the_examples_of_the_readme_are_there() {
    let readme = read("README.md");
    let commands: Vec<&str> = blocks(&readme, "sh").into_iter().flat_map(str::lines).collect();
    assert!(commands.contains(&"cargo test"), "{commands:?}");
    let examples = commands.iter().filter_map(|command| command.strip_prefix("cargo run --example ")?.split(' ').next());
    let listed = readme.split_once("a program in `examples/`:").expect("a list of programs").1;
    let listed = listed.split('.').next().expect("its end").split('`').skip(1).step_by(2);
    let mut found = 0;
    for name in examples.chain(listed) {
        let places = [format!("examples/{name}.rs"), format!("examples/{name}/main.rs")];
        assert!(places.iter().any(|place| Path::new(place).exists()), "no example `{name}`");
        found += 1;
    }
    assert!(found > 15, "{found}");
}
