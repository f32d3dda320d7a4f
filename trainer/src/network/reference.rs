//! A block in plain f64, written for reading, whose finite differences the gradients are checked against.
//!
//! Straight-through rounding is `x + constant`: the first run records the constants, later ones replay them, so that
//! the function that is differentiated is the one whose derivative the straight-through gradient claims to be.

use crate::quantise::MAX_SHIFT;

/// What a block is made of in a test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) images: usize,
    pub(super) side: usize,
    pub(super) input: usize,
    pub(super) width: usize,
    pub(super) output: usize,
    pub(super) stride: usize,
    pub(super) pre: bool,
    pub(super) weights: Option<u8>,
    pub(super) activations: Option<u8>,
    pub(super) round_shifts: bool,
}

impl Case {
    pub(super) fn projects(&self) -> bool {
        self.input != self.output || self.stride != 1
    }

    pub(super) fn output_side(&self) -> usize {
        self.side.div_ceil(self.stride)
    }

    /// Lengths of the parts: input, pre gamma and beta, reduce, middle gamma and beta, shifts, expand, last gamma and
    /// beta, shortcut.
    pub(super) fn lengths(&self) -> [usize; 11] {
        let pre = if self.pre { self.input } else { 0 };
        let shortcut = if self.projects() { self.output * self.input } else { 0 };
        [
            self.images * self.input * self.side * self.side,
            pre,
            pre,
            self.width * self.input,
            self.width,
            self.width,
            2 * self.width,
            self.output * self.width,
            self.output,
            self.output,
            shortcut,
        ]
    }
}

/// The constants of straight-through rounding.
#[derive(Default)]
pub(super) struct Tape {
    steps: Vec<f64>,
    next: Option<usize>,
}

impl Tape {
    /// Begins a run that replays what was recorded.
    pub(super) fn replay(&mut self) {
        self.next = Some(0);
    }

    fn round(&mut self, value: f64, rounded: impl Fn(f64) -> f64) -> f64 {
        match &mut self.next {
            None => {
                self.steps.push(rounded(value) - value);
                rounded(value)
            }
            Some(next) => {
                *next += 1;
                value + self.steps[*next - 1]
            }
        }
    }

    /// A value that counts as a constant.
    fn hold(&mut self, value: f64) -> f64 {
        match &mut self.next {
            None => {
                self.steps.push(value);
                value
            }
            Some(next) => {
                *next += 1;
                self.steps[*next - 1]
            }
        }
    }
}

fn steps(bits: u8) -> f64 {
    f64::from((1u32 << bits) - 1)
}

pub(super) fn weights(w: &[f64], bits: Option<u8>, tape: &mut Tape) -> Vec<f64> {
    match bits {
        None => w.to_vec(),
        Some(1) => {
            let mean = tape.hold(w.iter().map(|w| w.abs()).sum::<f64>() / w.len() as f64);
            w.iter().map(|&w| tape.round(w, |w| if w >= 0.0 { mean } else { -mean })).collect()
        }
        Some(bits) => {
            let largest = tape.hold(w.iter().map(|w| w.tanh().abs()).fold(0.0, f64::max));
            let n = steps(bits);
            let level = |t: f64| 2.0 * ((t + 1.0) / 2.0 * n).round_ties_even() / n - 1.0;
            w.iter().map(|w| tape.round(w.tanh() / largest, level)).collect()
        }
    }
}

fn activation(value: f64, bits: Option<u8>, tape: &mut Tape) -> f64 {
    let clipped = value.clamp(0.0, 1.0);
    match bits {
        None => clipped,
        Some(bits) => tape.round(clipped, |v| (v * steps(bits)).round_ties_even() / steps(bits)),
    }
}

/// A map `[images][channels][side][side]`.
struct Map {
    channels: usize,
    side: usize,
    values: Vec<f64>,
}

impl Map {
    fn at(&self, image: usize, channel: usize, y: isize, x: isize) -> f64 {
        let side = self.side as isize;
        if y < 0 || x < 0 || y >= side || x >= side {
            return 0.0;
        }
        self.values[((image * self.channels + channel) * self.side + y as usize) * self.side + x as usize]
    }

    /// A map of other channels and side, each value from its image, channel, row and column.
    fn from(images: usize, channels: usize, side: usize, mut f: impl FnMut(usize, usize, usize, usize) -> f64) -> Self {
        let mut values = Vec::with_capacity(images * channels * side * side);
        for i in 0..images {
            for c in 0..channels {
                for y in 0..side {
                    for x in 0..side {
                        values.push(f(i, c, y, x));
                    }
                }
            }
        }
        Self { channels, side, values }
    }

    fn norm(&self, gamma: &[f64], beta: &[f64]) -> Self {
        let plane = self.side * self.side;
        let images = self.values.len() / (self.channels * plane);
        let count = (images * plane) as f64;
        let mut out = self.values.clone();
        for c in 0..self.channels {
            let places = || (0..images).flat_map(move |i| (0..plane).map(move |p| (i * self.channels + c) * plane + p));
            let mean = places().map(|p| self.values[p]).sum::<f64>() / count;
            let variance = places().map(|p| (self.values[p] - mean).powi(2)).sum::<f64>() / count;
            for p in places() {
                out[p] = (self.values[p] - mean) / (variance + 1e-5).sqrt() * gamma[c] + beta[c];
            }
        }
        Self { values: out, ..*self }
    }

    fn activated(&self, bits: Option<u8>, tape: &mut Tape) -> Self {
        Self { values: self.values.iter().map(|&v| activation(v, bits, tape)).collect(), ..*self }
    }

    fn pointwise(&self, images: usize, w: &[f64], outputs: usize, stride: usize) -> Self {
        let side = self.side.div_ceil(stride);
        Self::from(images, outputs, side, |i, o, y, x| {
            let at = |c| self.at(i, c, (y * stride) as isize, (x * stride) as isize);
            (0..self.channels).map(|c| w[o * self.channels + c] * at(c)).sum()
        })
    }

    fn shifted(&self, images: usize, d: &[f64], stride: usize) -> Self {
        Self::from(images, self.channels, self.side.div_ceil(stride), |i, c, y, x| {
            let (sy, sx) = ((y * stride) as f64 + d[2 * c], (x * stride) as f64 + d[2 * c + 1]);
            let (fy, fx) = (sy.floor(), sx.floor());
            let (v, h) = (sy - fy, sx - fx);
            let at = |dy: isize, dx: isize| self.at(i, c, fy as isize + dy, fx as isize + dx);
            (1.0 - v) * ((1.0 - h) * at(0, 0) + h * at(0, 1)) + v * ((1.0 - h) * at(1, 0) + h * at(1, 1))
        })
    }
}

/// The block's output, flat.
pub(super) fn block(case: &Case, parts: &[Vec<f64>], tape: &mut Tape) -> Vec<f64> {
    let [x, pre_gamma, pre_beta, reduce, gamma, beta, shifts, expand, last_gamma, last_beta, shortcut] = parts else {
        panic!("eleven parts")
    };
    let n = case.images;
    let x = Map { channels: case.input, side: case.side, values: x.clone() };
    let rest = if case.projects() {
        let w = weights(shortcut, case.weights, tape);
        x.pointwise(n, &w, case.output, case.stride).values
    } else {
        x.values.clone()
    };
    let a = if case.pre { x.norm(pre_gamma, pre_beta).activated(case.activations, tape) } else { x };
    let y = a.pointwise(n, &weights(reduce, case.weights, tape), case.width, 1);
    let a = y.norm(gamma, beta).activated(case.activations, tape);
    let hold = |d: &f64| d.clamp(-f64::from(MAX_SHIFT), f64::from(MAX_SHIFT));
    let d: Vec<f64> = match case.round_shifts {
        true => shifts.iter().map(|d| tape.round(hold(d), f64::round_ties_even)).collect(),
        false => shifts.iter().map(hold).collect(),
    };
    let s = a.shifted(n, &d, case.stride);
    let y = s.pointwise(n, &weights(expand, case.weights, tape), case.output, 1).norm(last_gamma, last_beta);
    y.values.iter().zip(rest).map(|(y, rest)| y + rest).collect()
}
