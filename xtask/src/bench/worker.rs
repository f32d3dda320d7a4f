//! A program that repeats one thing and says how long each repetition took.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program that answers each line of two numbers, threads and repetitions, with as many values as repetitions, and the
/// end of its input with its peak memory in MiB and whatever else it counts.
pub(super) struct Worker {
    name: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What it says it is.
    pub(super) version: String,
}

impl Worker {
    /// Starts it; `name` is for messages.
    ///
    /// # Errors
    /// It does not start.
    pub(super) fn start(name: &str, command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        let input = child.stdin.take().context("the pipe that was asked for")?;
        let output = BufReader::new(child.stdout.take().context("the pipe that was asked for")?);
        let mut worker = Self { name: name.into(), child, input, output, version: String::new() };
        worker.version = worker.line()?;
        Ok(worker)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("{} ended early; what it said is above", self.name);
        }
        Ok(line.trim().to_owned())
    }

    fn values(&mut self) -> Result<Vec<f64>> {
        let line = self.line()?;
        let values: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
        values.with_context(|| format!("{} answered {line:?}", self.name))
    }

    /// The values of that many repetitions.
    ///
    /// # Errors
    /// It ended, or its answer is none.
    pub(super) fn repeat(&mut self, threads: usize, repetitions: usize) -> Result<Vec<f64>> {
        self.ask(threads, repetitions)?;
        self.answer(repetitions)
    }

    /// The same of several workers that compute at once.
    ///
    /// # Errors
    /// As [`Self::repeat`].
    pub(super) fn repeat_at_once(workers: &mut [Self], threads: usize, repetitions: usize) -> Result<Vec<Vec<f64>>> {
        workers.iter_mut().try_for_each(|worker| worker.ask(threads, repetitions))?;
        workers.iter_mut().map(|worker| worker.answer(repetitions)).collect()
    }

    fn ask(&mut self, threads: usize, repetitions: usize) -> Result<()> {
        writeln!(self.input, "{threads} {repetitions}").with_context(|| format!("{} ended", self.name))
    }

    fn answer(&mut self, repetitions: usize) -> Result<Vec<f64>> {
        let values = self.values()?;
        if values.len() != repetitions {
            bail!("{} answered with {} values instead of {repetitions}", self.name, values.len());
        }
        Ok(values)
    }

    /// What it counted by its end.
    ///
    /// # Errors
    /// As [`Self::repeat`].
    pub(super) fn end(self) -> Result<Vec<f64>> {
        let Self { name, mut child, input, mut output, .. } = self;
        drop(input);
        let mut rest = String::new();
        output.read_line(&mut rest)?;
        child.wait()?;
        let values: Result<Vec<f64>, _> = rest.split_whitespace().map(str::parse).collect();
        values.with_context(|| format!("{name} answered {rest:?}"))
    }
}
