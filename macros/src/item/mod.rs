//! The function under the attributes: its signature, parameters, types and body, and questions about tokens and names.

pub(crate) mod async_trait;
pub(crate) mod function;
pub(crate) mod moves;
pub(crate) mod names;
pub(crate) mod parameters;
pub(crate) mod tokens;
pub(crate) mod types;
