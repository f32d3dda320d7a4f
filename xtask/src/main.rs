//! `cargo xtask <verb>`: the one list of developer commands, for people and for continuous integration.
//!
//! Every verb does its own set-up, from a machine that has rustup, a C compiler, Node.js and apt.

mod apt;
mod bench;
mod chromium;
mod command;
mod dist;
mod files;
mod firefox;
mod models;
mod node;
mod project;
mod python;
mod server;
mod site;
mod suite;
mod toolbox;
mod wasm;

use anyhow::Result;
use clap::{Parser, Subcommand};
use project::Project;
use std::process::ExitCode;
use suite::Step;

/// Serve, test and assemble the project.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build the page and serve it at 127.0.0.1
    Serve {
        /// The port; where it is taken, the next free one is used
        #[arg(long, default_value_t = 8000)]
        port: u16,
        /// Serve what was built last instead of building
        #[arg(long)]
        no_build: bool,
    },
    /// Assemble page, WebAssembly and models into dist/ for any static host
    Build,
    /// Run all tests; the first failure ends the run
    Test {
        /// Run this step only; may be given several times
        #[arg(long, value_enum)]
        only: Vec<Step>,
    },
    /// Take pictures of the page into target/screenshots, and the README's own
    Screenshots,
    /// Watch the page for longer than the tests do
    Page {
        #[arg(value_enum)]
        script: node::Script,
    },
    /// Measure speed against other engines
    Bench {
        #[command(subcommand)]
        subject: bench::Subject,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let project = Project::find();
    match arguments.verb {
        Verb::Serve { port, no_build } => {
            if !no_build {
                wasm::build(&project)?;
            }
            models::warn(&project);
            server::Server::start(&project, port)?.serve_forever()
        }
        Verb::Build => dist::assemble(&project),
        Verb::Test { only } => suite::run(&project, &only),
        Verb::Screenshots => {
            wasm::build(&project)?;
            node::run_page_script(&project, "screenshots")
        }
        Verb::Page { script } => {
            wasm::build(&project)?;
            node::run_page_script(&project, script.name())
        }
        Verb::Bench { subject } => bench::run(&project, &subject),
    }
}
