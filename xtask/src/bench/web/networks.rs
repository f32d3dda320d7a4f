//! The model files of the benchmark, made once into .cache/bench.

use crate::command::{cargo, command, run};
use crate::project::Project;
use crate::python;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Weight bits of the L-SSPQ50 networks.
const BITS: [u32; 3] = [1, 2, 4];

/// A network under all the addresses that the page loads it from.
#[derive(Serialize)]
pub(super) struct Network {
    name: String,
    /// Pixels of the input's side.
    side: u32,
    /// Our file.
    url: String,
    /// What onnxruntime's static quantisation makes of it.
    int8: String,
    /// What a user would take in its place.
    peer: Option<Peer>,
}

#[derive(Serialize)]
struct Peer {
    name: String,
    url: String,
}

#[derive(Deserialize)]
struct Shipped {
    models: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    file: String,
}

/// Makes the files of the networks of those names, of all networks where none is named. With `reuse`, an exported
/// file that is there is good enough.
///
/// # Errors
/// There is no network of a name, or a file cannot be made.
pub(super) fn make(project: &Project, folder: &Path, names: &[String], reuse: bool) -> Result<Vec<Network>> {
    let shipped = shipped(project)?;
    let all: Vec<String> = BITS.iter().map(|&bits| name(bits)).chain(shipped.iter().map(|(n, _)| n.clone())).collect();
    if let Some(stranger) = names.iter().find(|name| !all.contains(name)) {
        bail!("there is no network {stranger}: choose from {}", all.join(", "));
    }
    let wanted = |name: &String| names.is_empty() || names.contains(name);
    let maker = Maker { project, folder, reuse };
    let mut networks = Vec::new();
    for bits in BITS.into_iter().filter(|&bits| wanted(&name(bits))) {
        networks.push(maker.published(bits)?);
    }
    for (name, file) in shipped.into_iter().filter(|(name, _)| wanted(name)) {
        networks.push(maker.shipped(name, &file)?);
    }
    Ok(networks)
}

/// What a published network is called here: name and weight bits, as in "l-sspq50-w2".
fn name(bits: u32) -> String {
    format!("l-sspq50-w{bits}")
}

/// Names and files of the models that the page offers.
fn shipped(project: &Project) -> Result<Vec<(String, String)>> {
    let path = project.path("www/models/index.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let list: Shipped = serde_json::from_str(&text).with_context(|| format!("{} is wrong", path.display()))?;
    let stem = |file: &str| file.strip_suffix(".onnx").unwrap_or(file).to_owned();
    Ok(list.models.into_iter().map(|entry| (stem(&entry.file), entry.file)).collect())
}

struct Maker<'a> {
    project: &'a Project,
    folder: &'a Path,
    reuse: bool,
}

impl Maker<'_> {
    /// L-SSPQ50 with random weights of so many bits, and MobileNet v2 beside it.
    fn published(&self, bits: u32) -> Result<Network> {
        let name = name(bits);
        let file = self.folder.join(format!("{name}.onnx"));
        if !self.reuse || !file.exists() {
            let bits = bits.to_string();
            let trainer = ["run", "--locked", "--package", "lsspq-trainer", "--"];
            let export = ["export", "--network", "l-sspq50", "--weights", &bits, "--overwrite", "--out"];
            run(cargo(&[&trainer[..], &export].concat(), self.project.root()).arg(&file))?;
        }
        let mobile = self.folder.join("mobilenet-v2.onnx");
        if !mobile.exists() {
            self.script("mobilenet-v2", &[&mobile])?;
        }
        let peer = Peer { name: "MobileNet v2".into(), url: "/models/mobilenet-v2.onnx".into() };
        Ok(Network {
            url: format!("/models/{name}.onnx"),
            int8: self.int8(&name, &file)?,
            side: 224,
            peer: Some(peer),
            name,
        })
    }

    /// A model that the page offers.
    fn shipped(&self, name: String, file: &str) -> Result<Network> {
        let path = self.project.path("www/models").join(file);
        let int8 = self.int8(&name, &path)?;
        Ok(Network { side: self.side(&path)?, url: format!("/shipped/{file}"), int8, peer: None, name })
    }

    /// The address of the int8 form. It is named after what it is made from: a file or script that changed makes it anew.
    fn int8(&self, name: &str, file: &Path) -> Result<String> {
        let read = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        let source = [read(file)?, read(&self.script_path())?].concat();
        let sum: String = Sha256::digest(&source).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let form = format!("{name}-{sum}-int8.onnx");
        let out = self.folder.join(&form);
        if !out.exists() {
            self.script("int8", &[file, &out])?;
        }
        Ok(format!("/models/{form}"))
    }

    fn side(&self, file: &Path) -> Result<u32> {
        let python = python::ensure(self.project)?;
        let script = self.script_path();
        let asked = crate::command::output(command(python, &[], self.project.root()).arg(script).arg("side").arg(file));
        let side = asked.and_then(|said| said.trim().parse().ok());
        side.with_context(|| format!("{} does not say the size of its input", file.display()))
    }

    fn script(&self, verb: &str, files: &[&Path]) -> Result<()> {
        let python = python::ensure(self.project)?;
        run(command(python, &[], self.project.root()).arg(self.script_path()).arg(verb).args(files))
    }

    fn script_path(&self) -> PathBuf {
        self.project.path("benches/web/models.py")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_is_not_there_is_answered_with_those_that_are() {
        let root = tempfile::tempdir().unwrap();
        let models = root.path().join("www/models");
        fs::create_dir_all(&models).unwrap();
        fs::write(models.join("index.json"), r#"{"models": [{"file": "birds.onnx"}]}"#).unwrap();
        let error = make(&Project::at(root.path()), root.path(), &["resnet".into()], true).err().unwrap().to_string();
        assert!(error.contains("resnet") && error.contains("l-sspq50-w2, l-sspq50-w4, birds"), "{error}");
    }
}
