//! `lsspq lend`.

use super::command::Lend;
use super::say::say;
use lsspq_trainer::lend::lend;

pub(super) fn run(job: &Lend) -> anyhow::Result<()> {
    let Lend { compute, place, listen } = job;
    Ok(lend(compute, *listen, |address| {
        // An address that stands for all of this machine's is none that another can name.
        let named =
            if address.ip().is_unspecified() { format!("HOST:{}", address.port()) } else { address.to_string() };
        say!("{place} is lent until Ctrl-C: lsspq train RECIPE --device ws://{named}");
    })?)
}
