//! What is shown, and whether it is true.

use std::fmt::Display;
use std::time::Duration;

/// Prints the steps, in plain lines.
#[derive(Default)]
pub(crate) struct Report {
    steps: u32,
    checks: u32,
}

impl Report {
    /// Begins a step.
    pub(crate) fn step(&mut self, attribute: &str, what: &str) {
        self.steps += 1;
        println!("\n{}. {attribute}: {what}", self.steps);
    }

    /// Shows something.
    #[expect(clippy::unused_self, reason = "lines belong to a step")]
    pub(crate) fn line(&self, text: impl Display) {
        println!("   {text}");
    }

    /// Shows something that must be so.
    pub(crate) fn check(&mut self, holds: bool, text: impl Display) -> anyhow::Result<()> {
        self.checks += 1;
        anyhow::ensure!(holds, "in step {}, this is not so: {text}", self.steps);
        println!("   {text}");
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the last of a chain of results")]
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        println!("\n{} steps, {} checks, all of them as they should be.", self.steps, self.checks);
        Ok(())
    }
}

/// A time as somebody would say it.
pub(crate) fn ms(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}
