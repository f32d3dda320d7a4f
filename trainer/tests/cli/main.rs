//! The real binary in a folder of its own: what it says and how it ends.

mod place;

mod begun;
mod data;
mod networks;
mod refusals;
mod runs;
mod usage;
