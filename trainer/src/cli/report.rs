//! `lsspq report`.

use super::command::Report;
use super::eval::{check_labels, measure};
use super::model_file;
use super::say::say;
use anyhow::Context;
use lsspq::Model;
use lsspq_trainer::data::Dataset;
use lsspq_trainer::report::{self, Test};
use lsspq_trainer::train::Folder;

pub(super) fn run(job: &Report) -> anyhow::Result<()> {
    let (folder, recipe) = Folder::existing(&job.run)?;
    let test = match &job.data {
        None => None,
        Some(data) => {
            let path = folder.model(&recipe);
            let model = Model::load(&model_file::read(&path)?).with_context(|| path.display().to_string())?;
            let pictures = Dataset::load_test(&recipe, data)?;
            check_labels(&model, &pictures, data)?;
            Some(Test::new(&measure(&model, &pictures)?, &pictures))
        }
    };
    let report = report::Report::gather(&recipe, &folder, test)?;
    say!("{}", report.write(&folder)?.display());
    if report.test.is_none() {
        say!("it holds no test pictures yet: they are looked at when the run ends, or with --data");
    }
    Ok(())
}
