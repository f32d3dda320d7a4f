//! The command line: [`flags`] is what was typed, [`command`] what it means, and each verb has a file of its own.

mod command;
mod compare;
mod eval;
mod export;
mod fixture;
mod flags;
mod inspect;
mod interrupt;
mod lend;
mod mirror;
mod model_file;
mod pictures;
mod publish;
mod report;
mod say;
mod sweep;
mod train;

use clap::Parser;
use command::Command;
use std::ffi::OsString;

/// Does what the arguments ask for. Help, version and misspelt arguments end the program here, as clap does.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<()> {
    let flags = flags::Flags::parse_from(arguments);
    let environment = command::Environment {
        data: std::env::var_os("LSSPQ_DATA").map(Into::into),
        python: std::env::var_os("LSSPQ_PYTHON").map(Into::into),
    };
    match Command::new(flags.verb, &environment)? {
        Command::Train(job) => train::run(&job),
        Command::Eval(job) => eval::run(&job),
        Command::Export(job) => export::run(&job),
        Command::Mirror(job) => mirror::run(&job),
        Command::Inspect(job) => inspect::run(&job),
        Command::Compare(job) => compare::run(&job),
        Command::Fixture(job) => fixture::run(&job),
        Command::Pictures(job) => pictures::run(&job),
        Command::Report(job) => report::run(&job),
        Command::Sweep(job) => sweep::run(&job),
        Command::Publish(job) => publish::run(&job),
        Command::Lend(job) => lend::run(&job),
    }
}
