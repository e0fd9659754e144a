//! Prints results and checks them.

use std::fmt::{self, Display};

#[derive(Default)]
pub(crate) struct Report {
    step: &'static str,
    steps: u32,
    checks: u32,
}

impl Report {
    pub(crate) fn step(&mut self, name: &'static str) {
        self.step = name;
        self.steps += 1;
        println!("\n{}. {name}", self.steps);
    }

    /// Prints what must hold.
    pub(crate) fn check(&mut self, holds: bool, text: impl Display) -> anyhow::Result<()> {
        anyhow::ensure!(holds, "check failed: {text}");
        self.checks += 1;
        note(text);
        Ok(())
    }

    /// The step that is running, for the message of a failure.
    pub(crate) fn current(&self) -> String {
        format!("{}. {}", self.steps, self.step)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} steps, {} checks", self.steps, self.checks)
    }
}

/// Prints what is only for comparison.
pub(crate) fn note(text: impl Display) {
    println!("   {text}");
}
