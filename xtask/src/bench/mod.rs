//! `cargo xtask bench <subject>`: measurements, side by side with others' engines.
//!
//! Every subject runs its rivals in turns, a few repetitions each, so that whatever else the machine does meets all of
//! them alike, and reports medians with the 5th and the 95th percentile.

mod row;
mod train;
mod web;
mod worker;

use crate::project::Project;
use anyhow::Result;
use clap::Subcommand;
use row::Row;

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Subject {
    /// Steps of training against the same network in PyTorch
    Train(train::Arguments),
    /// Inference in a browser against onnxruntime-web
    Web(web::Arguments),
}

/// Measures one subject.
///
/// # Errors
/// An engine cannot be built or installed, or it fails while it is measured.
pub(crate) fn run(project: &Project, subject: &Subject) -> Result<()> {
    match subject {
        Subject::Train(arguments) => train::run(project, arguments),
        Subject::Web(arguments) => web::run(project, arguments),
    }
}
