//! Numbers of parameters of standard layers.

/// Weights of a convolution without bias.
pub(super) fn conv(input: u64, output: u64, kernel: u64) -> u64 {
    input * output * kernel * kernel
}

/// [`conv`] and the BatchNorm behind it: gamma and beta for each output channel.
pub(super) fn conv_norm(input: u64, output: u64, kernel: u64) -> u64 {
    conv(input, output, kernel) + 2 * output
}

/// One filter for each channel, and BatchNorm.
pub(super) fn depthwise_norm(channels: u64, kernel: u64) -> u64 {
    channels * kernel * kernel + 2 * channels
}

/// Weights and biases of a linear layer.
pub(super) fn linear(input: u64, output: u64) -> u64 {
    (input + 1) * output
}
