//! Between Burn's CPU tensors and slices.

use crate::kernels::Map;
use crate::kernels::buffer::Buffer;
use burn::backend::TensorMetadata;
use burn::tensor::{DType, Shape, TensorData};
use burn_flex::FlexTensor;
use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};
use std::mem::MaybeUninit;

/// Memory of a tensor that goes back to the pool when the tensor is dropped.
struct Pooled(Buffer);

impl AllocationController for Pooled {
    fn alloc_align(&self) -> usize {
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(&mut self, _policy: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.0);
        // SAFETY: u8 and MaybeUninit<u8> have one layout, and the caller writes initialised bytes only.
        Ok(unsafe { &mut *(std::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>]) })
    }

    fn memory(&self, _policy: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let bytes: &[u8] = bytemuck::cast_slice(&self.0);
        // SAFETY: u8 and MaybeUninit<u8> have one layout; initialised bytes are a valid value of both.
        Ok(unsafe { &*(std::ptr::from_ref(bytes) as *const [MaybeUninit<u8>]) })
    }
}

/// A tensor over a pooled buffer.
pub(super) fn tensor(buffer: Buffer, shape: impl Into<Shape>) -> FlexTensor {
    let len = size_of_val::<[f32]>(&buffer);
    // SAFETY: a pooled buffer is initialised over its whole length.
    let bytes = unsafe { Bytes::from_controller(Box::new(Pooled(buffer)), len) };
    FlexTensor::from_data(TensorData::from_bytes(bytes, shape, DType::F32))
}

/// A small tensor of its own.
pub(super) fn small(values: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// The tensor with its values one after the other.
pub(super) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() }
}

/// The values of a contiguous tensor.
pub(super) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("a contiguous f32 tensor: `contiguous` was called on every input")
}

/// Shape of a map.
pub(super) fn map(tensor: &FlexTensor) -> Map {
    let [images, channels, height, width] = tensor.shape().dims();
    Map { images, channels, height, width }
}

/// Shape of a map's tensor.
pub(super) fn shape(map: Map) -> [usize; 4] {
    [map.images, map.channels, map.height, map.width]
}
