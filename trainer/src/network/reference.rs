//! A block in plain f64, written for reading, whose finite differences the gradients are checked against.
//!
//! Straight-through rounding is `x + constant`: the first run records the constants, later ones replay them, so that
//! the function that is differentiated is the one whose derivative the straight-through gradient claims to be.

use crate::quantise::MAX_SHIFT;

/// What stands in front of a block's first convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// Nothing: the input is an activation.
    Nothing,
    /// BatchNorm and activation of the block's own, in the branch alone.
    Own,
    /// Those that close the group before, handed on, for branch and shortcut.
    HandedOn,
    /// The same, with the input's statistics.
    HandedOnWithStatistics,
}

/// What a block is made of in a test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) images: usize,
    pub(super) side: usize,
    pub(super) input: usize,
    pub(super) width: usize,
    pub(super) output: usize,
    pub(super) stride: usize,
    pub(super) front: Front,
    pub(super) weights: Option<u8>,
    pub(super) activations: Option<u8>,
    pub(super) round_shifts: bool,
}

impl Case {
    pub(super) fn projects(&self) -> bool {
        self.input != self.output || self.stride != 1
    }

    /// Whether the BatchNorm in front is not the block's own.
    pub(super) fn is_handed_on(&self) -> bool {
        matches!(self.front, Front::HandedOn | Front::HandedOnWithStatistics)
    }

    pub(super) fn output_side(&self) -> usize {
        self.side.div_ceil(self.stride)
    }

    /// Lengths of the parts: input, gamma and beta in front, reduce, middle gamma and beta, shifts, expand, last gamma and
    /// beta, shortcut.
    pub(super) fn lengths(&self) -> [usize; 11] {
        let pre = if self.front == Front::Nothing { 0 } else { self.input };
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
pub(super) struct Tape {
    steps: Vec<f64>,
    next: Option<usize>,
    /// How close to an edge of a clip a value came in any run.
    pub(super) closest: f64,
}

impl Default for Tape {
    fn default() -> Self {
        Self { steps: Vec::new(), next: None, closest: f64::INFINITY }
    }
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
    tape.closest = tape.closest.min(value.abs()).min((value - 1.0).abs());
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

    /// Places of a channel's values.
    fn places(&self, channel: usize) -> impl Iterator<Item = usize> + use<> {
        let (plane, channels) = (self.side * self.side, self.channels);
        let images = self.values.len() / (channels * plane);
        (0..images).flat_map(move |i| (0..plane).map(move |p| (i * channels + channel) * plane + p))
    }

    /// Means of the channels, then their variances.
    fn statistics(&self) -> Vec<f64> {
        let mean = |c: usize, f: &dyn Fn(f64) -> f64| {
            let count = (self.values.len() / self.channels) as f64;
            self.places(c).map(|p| f(self.values[p])).sum::<f64>() / count
        };
        let means: Vec<f64> = (0..self.channels).map(|c| mean(c, &|v| v)).collect();
        let variances = (0..self.channels).map(|c| mean(c, &|v| (v - means[c]).powi(2)));
        means.iter().copied().chain(variances).collect()
    }

    /// BatchNorm; its statistics are put behind the others.
    fn norm(&self, gamma: &[f64], beta: &[f64], statistics: &mut Vec<Vec<f64>>) -> Self {
        let taken = self.statistics();
        let (means, variances) = taken.split_at(self.channels);
        let mut out = self.values.clone();
        for c in 0..self.channels {
            for p in self.places(c) {
                out[p] = (self.values[p] - means[c]) / (variances[c] + 1e-5).sqrt() * gamma[c] + beta[c];
            }
        }
        statistics.push(taken);
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

/// The block's output, flat, and the statistics of each BatchNorm and of the output.
pub(super) fn block(case: &Case, parts: &[Vec<f64>], tape: &mut Tape) -> (Vec<f64>, Vec<Vec<f64>>) {
    let [x, front_gamma, front_beta, reduce, gamma, beta, shifts, expand, last_gamma, last_beta, shortcut] = parts
    else {
        panic!("eleven parts")
    };
    let (n, mut statistics) = (case.images, Vec::new());
    let x = Map { channels: case.input, side: case.side, values: x.clone() };
    let mut front =
        |x: &Map, tape: &mut Tape| x.norm(front_gamma, front_beta, &mut statistics).activated(case.activations, tape);
    let x = if case.is_handed_on() { front(&x, tape) } else { x };
    let rest = if case.projects() {
        let w = weights(shortcut, case.weights, tape);
        x.pointwise(n, &w, case.output, case.stride).values
    } else {
        x.values.clone()
    };
    let a = if case.front == Front::Own { front(&x, tape) } else { x };
    let y = a.pointwise(n, &weights(reduce, case.weights, tape), case.width, 1);
    let a = y.norm(gamma, beta, &mut statistics).activated(case.activations, tape);
    let hold = |d: &f64| d.clamp(-f64::from(MAX_SHIFT), f64::from(MAX_SHIFT));
    let d: Vec<f64> = match case.round_shifts {
        true => shifts.iter().map(|d| tape.round(hold(d), f64::round_ties_even)).collect(),
        false => shifts.iter().map(hold).collect(),
    };
    let s = a.shifted(n, &d, case.stride);
    let y = s.pointwise(n, &weights(expand, case.weights, tape), case.output, 1);
    let mut y = y.norm(last_gamma, last_beta, &mut statistics);
    y.values.iter_mut().zip(rest).for_each(|(y, rest)| *y += rest);
    statistics.push(y.statistics());
    (y.values, statistics)
}

/// The stem's convolution of three by three; `w` is `[outputs][inputs * 9]`.
pub(super) fn stem(x: &[f64], [inputs, side]: [usize; 2], w: &[f64], outputs: usize) -> Vec<f64> {
    let images = x.len() / (inputs * side * side);
    let x = Map { channels: inputs, side, values: x.to_vec() };
    let y = Map::from(images, outputs, side, |i, o, y, x_| {
        let tap = |c: usize, t: usize| {
            let (row, column) = ((y + t / 3) as isize - 1, (x_ + t % 3) as isize - 1);
            w[(o * inputs + c) * 9 + t] * x.at(i, c, row, column)
        };
        (0..inputs).flat_map(|c| (0..9).map(move |t| (c, t))).map(|(c, t)| tap(c, t)).sum()
    });
    y.values
}

/// BatchNorm and activation alone.
pub(super) fn normed(x: &[f64], side: usize, [gamma, beta]: [&[f64]; 2], tape: &mut Tape) -> Vec<f64> {
    let x = Map { channels: gamma.len(), side, values: x.to_vec() };
    x.norm(gamma, beta, &mut Vec::new()).activated(None, tape).values
}

/// The largest of three by three at every second place. Two that are nearly the largest count as an edge.
pub(super) fn pooled(x: &[f64], [channels, side]: [usize; 2], tape: &mut Tape) -> Vec<f64> {
    let images = x.len() / (channels * side * side);
    let x = Map { channels, side, values: x.to_vec() };
    let places = |y: usize, x: usize| (0..9).map(move |t| ((2 * y + t / 3) as isize - 1, (2 * x + t % 3) as isize - 1));
    let pooled = Map::from(images, channels, side.div_ceil(2), |i, c, row, column| {
        let mut of: Vec<f64> = places(row, column).map(|(y, x_)| x.at(i, c, y, x_)).collect();
        of.sort_by(f64::total_cmp);
        // No gradient passes where the clip has made them equal.
        if of[8] > 0.0 && of[8] < 1.0 {
            tape.closest = tape.closest.min(of[8] - of[7]);
        }
        of[8]
    });
    pooled.values
}
