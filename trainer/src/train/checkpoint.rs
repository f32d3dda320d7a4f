//! All that a run needs to go on, in one file that is either the old one or the new one, never half of each.

use super::Position;
use crate::error::Error;
use crate::network::Network;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, Device};
use lsspq::spec::NetworkSpec;
use std::io::{Read, Write};
use std::path::Path;

/// First bytes of the file, the last of them its version.
const MAGIC: &[u8; 8] = b"lsspqck\x01";

/// Parameters, the optimiser's memory, and the position.
pub struct Checkpoint {
    network: Vec<u8>,
    optimiser: Vec<u8>,
    /// Where the run was.
    pub position: Position,
}

impl Checkpoint {
    /// Of a run as it stands.
    ///
    /// # Errors
    /// Where Burn cannot write its records.
    pub fn new(network: &Network, optimiser: &ModuleOptimizer, position: Position) -> Result<Self, Error> {
        let broken = |e| Error::training(format!("the parameters cannot be written: {e}"));
        let network = network.clone().into_record().into_bytes().map_err(broken)?.to_vec();
        let optimiser = optimiser.into_bytes().map_err(broken)?.to_vec();
        Ok(Self { network, optimiser, position })
    }

    /// The network.
    ///
    /// # Errors
    /// Where the parameters do not fit the specification.
    pub fn network(&self, spec: &NetworkSpec, device: &Device) -> Result<Network, Error> {
        let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(self.network.clone())).map_err(misfit)?;
        Network::new(spec, 0, device).try_load_record(record).map_err(misfit)
    }

    /// An optimiser with its memory.
    ///
    /// # Errors
    /// Where the memory is no record of an optimiser.
    pub fn optimiser(&self, fresh: ModuleOptimizer) -> Result<ModuleOptimizer, Error> {
        fresh.from_bytes(Bytes::from_bytes_vec(self.optimiser.clone())).map_err(misfit)
    }

    /// Writes the file, beside the old one first and then in its place.
    ///
    /// # Errors
    /// Where the folder cannot be written; the old file is still there.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let position = serde_json::to_vec(&self.position).expect("a position is plain data");
        let beside = path.with_extension("partial");
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::File::create(&beside)?;
            file.write_all(MAGIC)?;
            for part in [&position, &self.network, &self.optimiser] {
                file.write_all(&(part.len() as u64).to_le_bytes())?;
                file.write_all(part)?;
            }
            file.sync_all()?;
            std::fs::rename(&beside, path)
        };
        write().map_err(|e| {
            Error::training(format!("{} cannot be written: {e}; the checkpoint before it is untouched", path.display()))
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
        let parts = split(&bytes).ok_or_else(|| {
            Error::training(format!("{} is no checkpoint of this version, or only a part of one", path.display()))
        })?;
        let position = serde_json::from_slice(parts[0])
            .map_err(|e| Error::training(format!("{}: the position: {e}", path.display())))?;
        Ok(Some(Self { network: parts[1].to_vec(), optimiser: parts[2].to_vec(), position }))
    }
}

fn misfit(error: impl std::fmt::Display) -> Error {
    Error::training(format!("the checkpoint does not fit the recipe: {error}"))
}

/// The three parts behind the magic bytes.
fn split(bytes: &[u8]) -> Option<[&[u8]; 3]> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut parts = [&[][..]; 3];
    for part in &mut parts {
        let (len, behind) = rest.split_first_chunk()?;
        (*part, rest) = behind.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
    }
    rest.is_empty().then_some(parts)
}
