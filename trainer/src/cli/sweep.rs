//! `lsspq sweep`: every cell is a run of this very program, so that one that fails or is killed harms no other.

use super::command::Sweep;
use super::interrupt;
use super::say::{self, say};
use anyhow::Context;
use lsspq_trainer::sweep::{Cell, State, Table, figure};
use lsspq_trainer::{Error, ErrorKind, file};
use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often the runs are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long runs may take to save when they are asked to stop.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn run(job: &Sweep) -> anyhow::Result<()> {
    let states = job.plan.cells.iter().map(|cell| job.folder.state(cell)).collect::<Result<Vec<_>, _>>()?;
    let count = |state| states.iter().filter(|&&s| s == state).count();
    say!(
        "{} runs: {} have ended, {} have begun, {} are new",
        states.len(),
        count(State::Finished),
        count(State::Begun),
        count(State::New)
    );
    if job.dry_run {
        for (cell, state) in job.plan.cells.iter().zip(&states) {
            say!("{state:?}  {}", cell.name);
        }
        return Ok(());
    }
    let interrupted = interrupt::watch()?;
    let waiting = job.plan.cells.iter().zip(states).filter(|(_, state)| *state != State::Finished).collect();
    let failed = work(job, waiting, &interrupted)?;
    let table = write_table(job)?;
    say::text(table.markdown());
    say!("{}", job.folder.path().join("sweep.md").display());
    if interrupted.load(Ordering::Relaxed) {
        let message = "stopped; the same command goes on with what has not ended";
        return Err(Error::new(ErrorKind::Interrupted, message).into());
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::training(format!("{} runs failed: {}", failed.len(), failed.join("; "))).into())
}

/// Runs what waits, so many at a time; gives what failed and why.
fn work(job: &Sweep, mut waiting: VecDeque<(&Cell, State)>, interrupted: &AtomicBool) -> anyhow::Result<Vec<String>> {
    let mut running: Vec<(&Cell, Child)> = Vec::new();
    let mut failed = Vec::new();
    let mut asked: Option<Instant> = None;
    loop {
        let stop = interrupted.load(Ordering::Relaxed);
        while !stop && running.len() < job.jobs {
            let Some((cell, state)) = waiting.pop_front() else { break };
            say!("{}", cell.name);
            running.push((cell, start(job, cell, state)?));
        }
        if running.is_empty() {
            return Ok(failed);
        }
        // A terminal sends Ctrl-C to the runs as well; whoever stops this program alone stops them here.
        if stop && asked.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            running.iter_mut().try_for_each(|(_, child)| child.kill())?;
        }
        let mut ended = Vec::new();
        for (at, (_, child)) in running.iter_mut().enumerate() {
            if let Some(status) = child.try_wait()? {
                ended.push((at, status));
            }
        }
        for (at, status) in ended.into_iter().rev() {
            let (cell, _) = running.remove(at);
            if !stop {
                failed.extend(failure(job, cell, status));
            }
            write_table(job)?;
        }
        std::thread::sleep(LOOK);
    }
}

fn start(job: &Sweep, cell: &Cell, state: State) -> anyhow::Result<Child> {
    let (recipe, log) = (job.folder.recipe(cell), job.folder.log(cell));
    let unwritable = |path: &Path| format!("{} cannot be written", path.display());
    file::write(&recipe, cell.recipe.to_toml().as_bytes()).with_context(|| unwritable(&recipe))?;
    std::fs::create_dir_all(log.parent().unwrap_or(Path::new("."))).with_context(|| unwritable(&log))?;
    let log_file = File::create(&log).with_context(|| unwritable(&log))?;
    let mut command = Command::new(std::env::current_exe().context("this program cannot find itself")?);
    command.arg("train").arg(&recipe).arg("--data").arg(&job.data).arg("--out").arg(job.folder.run(cell));
    command.args(["--plain", "--threads", &job.threads.to_string()]);
    if state == State::Begun {
        command.arg("--resume");
    }
    command.stdin(Stdio::null()).stdout(log_file.try_clone()?).stderr(log_file);
    command.spawn().context("a run cannot be started")
}

/// What went wrong, in the last words of the run.
fn failure(job: &Sweep, cell: &Cell, status: ExitStatus) -> Option<String> {
    if status.success() {
        return None;
    }
    let log = job.folder.log(cell);
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let last = text.lines().last().unwrap_or("it said nothing").to_owned();
    Some(format!("{} ({status}: {last}; see {})", cell.name, log.display()))
}

fn write_table(job: &Sweep) -> anyhow::Result<Table> {
    let table = Table::read(&job.plan, &job.folder)?;
    let json = serde_json::to_string_pretty(&table)?;
    for (name, text) in [("sweep.md", table.markdown()), ("sweep.json", json), ("sweep.svg", figure(&table))] {
        let path = job.folder.path().join(name);
        file::write(&path, text.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(table)
}
