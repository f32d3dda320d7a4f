//! Where a run computes: on the CPU with the fused operations, or on GPUs and other machines with the same network in plain
//! operations.

use crate::error::Error;
use crate::network::Engine;
use burn::tensor::Device;
use std::fmt;
use std::str::FromStr;

/// A place to compute, as it is named on the command line: `cpu`, `wgpu`, `wgpu:1`, `cuda:0`, `libtorch-cuda:0`,
/// `ws://host:3000`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The CPU.
    #[default]
    Cpu,
    /// A GPU through Vulkan, Metal or DirectX 12: that discrete one, or the one that the system likes best.
    Wgpu(Option<usize>),
    /// That NVIDIA GPU.
    Cuda(usize),
    /// The CPU through LibTorch.
    LibTorchCpu,
    /// That NVIDIA GPU through LibTorch.
    LibTorchCuda(usize),
    /// The first device that [`lend`](crate::lend) lends at this address.
    Remote(String),
}

impl Place {
    /// What [`Place::from_str`] takes.
    const ALLOWED: &str = "cpu, wgpu, wgpu:NUMBER, cuda, cuda:NUMBER, libtorch-cpu, libtorch-cuda, libtorch-cuda:NUMBER or ws://HOST:PORT";
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.strip_prefix("ws://").is_some_and(|host| !host.is_empty()) {
            return Ok(Self::Remote(text.to_owned()));
        }
        let (kind, number) = match text.split_once(':') {
            Some((kind, number)) => (kind, number.parse().map(Some)),
            None => (text, Ok(None)),
        };
        match (kind, number) {
            ("cpu", Ok(None)) => Ok(Self::Cpu),
            ("wgpu", Ok(number)) => Ok(Self::Wgpu(number)),
            ("cuda", Ok(number)) => Ok(Self::Cuda(number.unwrap_or(0))),
            ("libtorch-cpu", Ok(None)) => Ok(Self::LibTorchCpu),
            ("libtorch-cuda", Ok(number)) => Ok(Self::LibTorchCuda(number.unwrap_or(0))),
            _ => Err(format!("{text} is no device: allowed is {}", Self::ALLOWED)),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Wgpu(None) => f.write_str("wgpu"),
            Self::Wgpu(Some(number)) => write!(f, "wgpu:{number}"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::LibTorchCpu => f.write_str("libtorch-cpu"),
            Self::LibTorchCuda(number) => write!(f, "libtorch-cuda:{number}"),
            Self::Remote(address) => f.write_str(address),
        }
    }
}

/// Devices that are there, and the form of the operations that runs on them.
///
/// Checkpoints hold numbers and no devices: a run that was begun on one goes on on any other, though not to the same
/// bits.
#[derive(Clone, Debug)]
pub struct Compute {
    /// One or more, without gradients. The first holds the network; a batch is shared out among all.
    devices: Vec<Device>,
    engine: Engine,
}

impl Compute {
    /// The CPU, with the fused operations.
    pub fn cpu() -> Self {
        Self { devices: vec![Device::flex()], engine: Engine::Fused }
    }

    /// Devices of any kind, with the plain operations.
    ///
    /// # Panics
    /// Where there is none.
    pub fn composed(devices: Vec<Device>) -> Self {
        assert!(!devices.is_empty(), "a run needs a device");
        Self { devices, engine: Engine::Composed }
    }

    /// The devices in those places.
    ///
    /// # Errors
    /// [`Recipe`](crate::ErrorKind::Recipe), with what to do, where this program was built without them, where they are
    /// not there, where the same one is named twice, or where they are of several kinds.
    pub fn open(places: &[Place]) -> Result<Self, Error> {
        match places {
            [] | [Place::Cpu] => return Ok(Self::cpu()),
            _ if places.contains(&Place::Cpu) => {
                return Err(Error::recipe("--device cpu: it is one device already, and shares no batches with others"));
            }
            _ => {}
        }
        if let Some(place) = places.iter().enumerate().find_map(|(i, p)| places[..i].contains(p).then_some(p)) {
            return Err(Error::recipe(format!("--device {place}: it is named twice")));
        }
        if let Some(place) = places.iter().find(|p| std::mem::discriminant(*p) != std::mem::discriminant(&places[0])) {
            return Err(Error::recipe(format!(
                "--device {place}: {} is of another kind, and allowed are several of one",
                places[0]
            )));
        }
        let refused = |place: &Place, why: String| {
            Error::recipe(format!("--device {place}: {why}, or leave --device out to compute on the CPU"))
        };
        let opened = places.iter().map(|place| device(place).map_err(|why| refused(place, why)));
        let opened = Self::composed(opened.collect::<Result<_, _>>()?);
        #[cfg(feature = "libtorch")]
        if matches!(places, [Place::LibTorchCpu | Place::LibTorchCuda(_), ..]) {
            return Ok(Self { engine: Engine::LibTorch, ..opened });
        }
        Ok(opened)
    }

    /// The devices, with gradients.
    pub(crate) fn training(&self) -> Vec<Device> {
        self.devices.iter().map(|device| device.clone().autodiff()).collect()
    }

    /// The devices, without gradients.
    #[cfg(feature = "remote")]
    pub(crate) fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// How a network runs here.
    pub fn engine(&self) -> Engine {
        self.engine
    }
}

/// A device that can be used, or why it cannot and what to do.
fn device(place: &Place) -> Result<Device, String> {
    match place {
        Place::Cpu => Ok(Device::flex()),
        Place::Wgpu(number) => wgpu(*number),
        Place::Cuda(number) => cuda(*number),
        Place::LibTorchCpu => libtorch(None),
        Place::LibTorchCuda(number) => libtorch(Some(*number)),
        Place::Remote(address) => remote(address),
    }
}

/// What to do without the feature.
#[cfg(not(all(feature = "wgpu", feature = "cuda", feature = "libtorch", feature = "remote")))]
pub(crate) fn not_built(feature: &str) -> String {
    format!(
        "this program was built without it: build one with `cargo build --release -p {} --features {feature}`",
        env!("CARGO_PKG_NAME")
    )
}

#[cfg(feature = "wgpu")]
fn wgpu(number: Option<usize>) -> Result<Device, String> {
    use burn::tensor::DeviceKind;
    let kind = number.map_or(DeviceKind::DefaultDevice, DeviceKind::DiscreteGpu);
    Device::wgpu_options().device_kind(kind).init().map_err(|error| {
        let what = match number {
            Some(number) => format!("no GPU {number} of its own card"),
            None => "no GPU".to_owned(),
        };
        format!("{what} can be used through Vulkan, Metal or DirectX 12 ({error}): install its driver")
    })
}

#[cfg(not(feature = "wgpu"))]
fn wgpu(_number: Option<usize>) -> Result<Device, String> {
    Err(not_built("wgpu"))
}

#[cfg(feature = "cuda")]
fn cuda(number: usize) -> Result<Device, String> {
    let devices = Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec();
    numbered(devices, number, "no NVIDIA GPU with its driver is there: install the driver")
}

#[cfg(not(feature = "cuda"))]
fn cuda(_number: usize) -> Result<Device, String> {
    Err(not_built("cuda"))
}

/// The CPU, or the NVIDIA GPU of that number.
#[cfg(feature = "libtorch")]
#[expect(deprecated, reason = "Burn means to give LibTorch up; until then it is the fastest way to a GPU")]
fn libtorch(number: Option<usize>) -> Result<Device, String> {
    let Some(number) = number else { return Ok(Device::libtorch()) };
    let devices = Device::enumerate(burn::tensor::DeviceType::LibTorch).into_vec();
    let none = "LibTorch sees no NVIDIA GPU: install the driver, and build this program with a LibTorch for CUDA";
    numbered(devices, number, none)
}

#[cfg(not(feature = "libtorch"))]
fn libtorch(_number: Option<usize>) -> Result<Device, String> {
    Err(not_built("libtorch"))
}

/// The device of that number, or why there is none.
#[cfg(any(feature = "cuda", feature = "libtorch"))]
fn numbered(mut devices: Vec<Device>, number: usize, none: &str) -> Result<Device, String> {
    match devices.len() {
        0 => Err(none.to_owned()),
        count if number >= count => Err(format!("there are {count}: allowed is up to number {}", count - 1)),
        _ => Ok(devices.swap_remove(number)),
    }
}

#[cfg(feature = "remote")]
fn remote(address: &str) -> Result<Device, String> {
    use burn::tensor::remote::RemoteHost;
    let host = RemoteHost::websocket(address);
    Device::remote_options(&host)
        .init()
        .map_err(|error| format!("no device is lent there ({error}): start `lsspq lend` on that machine"))
}

#[cfg(not(feature = "remote"))]
fn remote(_address: &str) -> Result<Device, String> {
    Err(not_built("remote"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        for text in ["cpu", "wgpu", "wgpu:2", "cuda:0", "cuda:13", "libtorch-cpu", "libtorch-cuda:1", "ws://gpu:3000"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        assert_eq!("cuda".parse(), Ok(Place::Cuda(0)));
        assert_eq!("libtorch-cuda".parse(), Ok(Place::LibTorchCuda(0)));
        for text in
            ["", "gpu", "cpu:0", "cuda:", "cuda:-1", "wgpu:x", "cuda:0:1", "libtorch", "ws://", "http://gpu:3000"]
        {
            let error = text.parse::<Place>().unwrap_err();
            assert!(error.contains("cuda:NUMBER"), "{error}");
        }
    }

    #[test]
    fn devices_that_do_not_go_together_are_refused() {
        let refused = |places: &[Place]| {
            let error = Compute::open(places).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Recipe);
            error.to_string()
        };
        assert!(refused(&[Place::Cuda(0), Place::Cuda(0)]).contains("cuda:0: it is named twice"));
        assert!(refused(&[Place::Cuda(0), Place::Wgpu(None)]).contains("another kind"));
        assert!(refused(&[Place::Cpu, Place::Cpu]).contains("one device already"));
        assert_eq!(Compute::open(&[]).unwrap().engine(), Engine::Fused);
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn device_that_is_not_built_in_is_said_with_what_to_do() {
        let error = Compute::open(&[Place::Cuda(0)]).unwrap_err().to_string();
        for part in ["--device cuda:0", "built without it", "--features cuda", "leave --device out"] {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }
}
