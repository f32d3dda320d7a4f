//! All that a run needs to go on, in one file that is either the old one or the new one, never half of each.

use super::Position;
use crate::error::Error;
use crate::network::Network;
use crate::recipe::Recipe;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, Device};
use std::io::{Read, Write};
use std::path::Path;

/// First bytes of the file; a byte with its version follows.
const MAGIC: &[u8; 7] = b"lsspqck";

/// The version that is written. Version 1 had no moving average and is still read.
const VERSION: u8 = 2;

/// Parameters, the optimiser's memory, the moving average, and the position.
pub struct Checkpoint {
    network: Vec<u8>,
    optimiser: Vec<u8>,
    /// Empty where the run keeps none.
    average: Vec<u8>,
    /// Where the run was.
    pub position: Position,
}

impl Checkpoint {
    /// Of a run as it stands.
    ///
    /// # Errors
    /// Where Burn cannot write its records.
    pub fn new(
        network: &Network,
        optimiser: &ModuleOptimizer,
        average: Option<&Network>,
        position: Position,
    ) -> Result<Self, Error> {
        let broken = |e| Error::training(format!("the parameters cannot be written: {e}"));
        let bytes = |network: &Network| Ok(network.clone().into_record().into_bytes().map_err(broken)?.to_vec());
        let optimiser = optimiser.into_bytes().map_err(broken)?.to_vec();
        let average = average.map(bytes).transpose()?.unwrap_or_default();
        Ok(Self { network: bytes(network)?, optimiser, average, position })
    }

    /// The network as it is stepped.
    ///
    /// # Errors
    /// Where the parameters do not fit the recipe.
    pub fn network(&self, recipe: &Recipe, device: &Device) -> Result<Network, Error> {
        read(&self.network, recipe, device)
    }

    /// The moving average, where the run keeps one.
    ///
    /// # Errors
    /// As [`Checkpoint::network`].
    pub fn average(&self, recipe: &Recipe, device: &Device) -> Result<Option<Network>, Error> {
        (!self.average.is_empty()).then(|| read(&self.average, recipe, device)).transpose()
    }

    /// The network that is exported: the average, where there is one and the weights did no better.
    ///
    /// # Errors
    /// As [`Checkpoint::network`].
    pub fn deployed(&self, recipe: &Recipe, device: &Device) -> Result<Network, Error> {
        let average = if self.position.prefers_weights { None } else { self.average(recipe, device)? };
        average.map_or_else(|| self.network(recipe, device), Ok)
    }

    /// An optimiser with its memory.
    ///
    /// # Errors
    /// Where the memory is no record of an optimiser.
    pub fn optimiser(&self, fresh: ModuleOptimizer) -> Result<ModuleOptimizer, Error> {
        fresh.from_bytes(Bytes::from_bytes_vec(self.optimiser.clone())).map_err(misfit)
    }

    /// The most bytes that a checkpoint of this network can take: parameters, two moments, a moving average.
    pub(super) fn largest(&self) -> u64 {
        4 * self.network.len() as u64
    }

    /// Writes the file, beside the old one first and then in its place.
    ///
    /// # Errors
    /// Where the folder cannot be written; the old file is still there.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let beside = path.with_extension("partial");
        let position = serde_json::to_vec(&self.position).expect("a position is plain data");
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::File::create(&beside)?;
            file.write_all(MAGIC)?;
            file.write_all(&[VERSION])?;
            for part in [&position, &self.network, &self.optimiser, &self.average] {
                file.write_all(&(part.len() as u64).to_le_bytes())?;
                file.write_all(part)?;
            }
            file.sync_all()?;
            std::fs::rename(&beside, path)?;
            crate::file::sync_folder_of(path);
            Ok(())
        };
        write().map_err(|e| {
            // Half a checkpoint would only take room from whoever frees some; the error that matters is the first one.
            let _ = std::fs::remove_file(&beside);
            Error::storage(format!(
                "{} cannot be written: {e}; the checkpoint before it is untouched: make room or mend the folder, then \
                 go on with --resume",
                path.display()
            ))
        })
    }

    /// Reads the file; none if there is none.
    ///
    /// # Errors
    /// Where it is no checkpoint, or a cut one.
    pub fn load(path: &Path) -> Result<Option<Self>, Error> {
        let mut file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::training(format!("{} cannot be read: {e}", path.display()))),
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|e| Error::training(format!("{} cannot be read: {e}", path.display())))?;
        let parts = split(&bytes).map_err(|why| Error::training(format!("{} {why}", path.display())))?;
        let position = serde_json::from_slice(parts[0])
            .map_err(|e| Error::training(format!("{}: the position: {e}", path.display())))?;
        let [network, optimiser, average] = [1, 2, 3].map(|i| parts[i].to_vec());
        Ok(Some(Self { network, optimiser, average, position }))
    }
}

fn read(bytes: &[u8], recipe: &Recipe, device: &Device) -> Result<Network, Error> {
    let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes.to_vec())).map_err(misfit)?;
    let network = Network::new(&recipe.network, 0, device).with_quantiser(&recipe.network, recipe.quantiser);
    network.try_load_record(record).map_err(misfit)
}

fn misfit(error: impl std::fmt::Display) -> Error {
    Error::training(format!("the checkpoint does not fit the recipe: {error}"))
}

/// The four parts behind the magic bytes; those that an older version lacks are empty.
fn split(bytes: &[u8]) -> Result<[&[u8]; 4], String> {
    let cut = || "is no checkpoint, or only a part of one".to_owned();
    let (&version, mut rest) = bytes.strip_prefix(MAGIC).and_then(<[u8]>::split_first).ok_or_else(cut)?;
    let count = match version {
        1 => 3,
        VERSION => 4,
        other => {
            return Err(format!(
                "is a checkpoint of version {other}, and this program reads up to {VERSION}: go on with the program that \
                 wrote it, or begin anew by --overwrite"
            ));
        }
    };
    let mut parts = [&[][..]; 4];
    for part in &mut parts[..count] {
        let (len, behind) = rest.split_first_chunk().ok_or_else(cut)?;
        let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| cut())?;
        (*part, rest) = behind.split_at_checked(len).ok_or_else(cut)?;
    }
    if rest.is_empty() { Ok(parts) } else { Err(cut()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of three short parts and, in version 2, a fourth.
    fn file(version: u8) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &[version]].concat();
        for part in &[&b"{}"[..], b"net", b"optimiser", b"mean"][..if version == 1 { 3 } else { 4 }] {
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    #[test]
    fn files_of_both_versions_are_read() {
        assert_eq!(split(&file(1)).unwrap(), [&b"{}"[..], b"net", b"optimiser", b""]);
        assert_eq!(split(&file(2)).unwrap(), [&b"{}"[..], b"net", b"optimiser", b"mean"]);
    }

    #[test]
    fn newer_cut_and_longer_files_are_refused() {
        assert!(split(&file(9)).unwrap_err().contains("version 9"));
        let whole = file(2);
        for len in 0..whole.len() {
            assert!(split(&whole[..len]).unwrap_err().contains("part of one"), "{len} bytes");
        }
        assert!(split(&[&whole[..], &[0]].concat()).is_err());
    }
}
