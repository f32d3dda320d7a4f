//! Numbers of parameters of standard layers.

/// Weights of a convolution without bias.
pub(super) fn conv(input: u64, output: u64, kernel: u64) -> u64 {
    input * output * kernel * kernel
}

/// Weights and biases of a linear layer.
pub(super) fn linear(input: u64, output: u64) -> u64 {
    (input + 1) * output
}
