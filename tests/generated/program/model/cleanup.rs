//! `finally`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::arguments::Arguments;
use super::{Context, Here, Out};
use crate::program::world::{ms, note};

impl Here {
    pub(super) async fn finally(self, context: Context, takes: u64) -> Out {
        // The cleanup has clones of the arguments that it names, made when the call begins.
        let clones = context.arguments.cloned(self.model.spec.mentions[self.at].as_slice());
        let mut cleanup = Cleanup { call: context.call, takes, clones: Some(clones) };
        let panicking = context.panicking.clone();
        let ended = AssertUnwindSafe(self.below(context)).catch_unwind().await;
        let exit = match &ended {
            Ok(out) if self.model.is_failure(out) => "Err",
            Ok(_) => "Ok",
            Err(_) => "Panicked",
        };
        // A call that returns or panics waits for the cleanup.
        panicking.set(ended.is_err());
        if let Some(cleanup) = cleanup.run(exit) {
            _ = spawn_local(cleanup).await;
        }
        ended.unwrap_or_else(|panic: Box<dyn Any + Send>| resume_unwind(panic))
    }
}

/// A dropped call leaves its cleanup to the runtime.
struct Cleanup {
    call: u32,
    takes: u64,
    /// Taken when the cleanup begins.
    clones: Option<Arguments>,
}

impl Cleanup {
    fn run(&mut self, exit: &'static str) -> Option<impl Future<Output = ()> + use<>> {
        let (call, takes, clones) = (self.call, self.takes, self.clones.take()?);
        Some(async move {
            note(call, format!("finally {exit}"));
            if takes > 0 {
                sleep(ms(takes)).await;
            }
            note(call, "finally done");
            drop(clones);
        })
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        if let Some(cleanup) = self.run("Cancelled") {
            spawn_local(cleanup);
        }
    }
}
