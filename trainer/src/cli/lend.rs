//! `lsspq lend`.

use super::command::Lend;
use lsspq_trainer::lend::lend;

pub(super) fn run(job: Lend) -> anyhow::Result<()> {
    let Lend { compute, place, listener } = job;
    let address = listener.local_addr()?;
    println!("{place} is lent at ws://{address} until Ctrl-C: lsspq train RECIPE --device ws://{address}");
    Ok(lend(&compute, listener)?)
}
