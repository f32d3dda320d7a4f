//! The picture on its way to whole numbers.

/// What was done to it so far, in this order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture {
    /// 2 where its mirror image stands behind it in the batch.
    pub(super) views: usize,
    /// What was subtracted from each colour.
    pub(super) mean: Option<[f32; 3]>,
    /// By what each colour was multiplied.
    pub(super) gain: Option<[f32; 3]>,
    pub(super) rounded: bool,
}

impl Default for Picture {
    /// As it came.
    fn default() -> Self {
        Self { views: 1, mean: None, gain: None, rounded: false }
    }
}

impl Picture {
    /// Whether nothing was done to it.
    pub(super) fn is_untouched(&self) -> bool {
        matches!(self, Self { views: 1, mean: None, gain: None, rounded: false })
    }
}
