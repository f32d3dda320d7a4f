//! Pictures read through an affine map: windows stretched to the whole, turned, sheared, moved.

/// Where in the source each pixel of the target is read: `[x, y] = matrix * [column, row, 1]`, pixel centres at whole
/// numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Affine(pub(super) [[f32; 3]; 2]);

impl Affine {
    /// The window of that size at (`left`, `top`), in pixels, stretched to `side` x `side`.
    pub(super) fn window([left, top]: [f32; 2], [width, height]: [f32; 2], side: usize) -> Self {
        let (x, y) = (width / side as f32, height / side as f32);
        Self([[x, 0.0, left + 0.5 * x - 0.5], [0.0, y, top + 0.5 * y - 0.5]])
    }

    /// A linear map around the middle of the picture, and a move behind it.
    pub(super) fn around_middle(linear: [[f32; 2]; 2], moved: [f32; 2], side: usize) -> Self {
        let middle = (side as f32 - 1.0) / 2.0;
        Self([0, 1].map(|i| {
            let [a, b] = linear[i];
            [a, b, middle - middle * (a + b) + moved[i]]
        }))
    }

    /// Reads `source` through the map into `target`, both `[row][column][red, green, blue]` of `side` x `side`, bilinearly;
    /// what lies outside of the picture is grey.
    pub(super) fn apply(self, source: &[u8], side: usize, target: &mut [u8]) {
        const OUTSIDE: [u8; 3] = [128; 3];
        let (last, [[a, b, c], [d, e, f]]) = (side as f32 - 1.0, self.0);
        for (at, pixel) in target.chunks_exact_mut(3).enumerate() {
            let (column, row) = ((at % side) as f32, (at / side) as f32);
            let (x, y) = (a * column + b * row + c, d * column + e * row + f);
            if x < -0.5 || y < -0.5 || x > last + 0.5 || y > last + 0.5 {
                pixel.copy_from_slice(&OUTSIDE);
                continue;
            }
            let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
            let (left, top) = (x as usize, y as usize);
            let (right, bottom) = ((left + 1).min(side - 1), (top + 1).min(side - 1));
            let (h, v) = (x - left as f32, y - top as f32);
            let read = |row: usize, column: usize, colour: usize| f32::from(source[(row * side + column) * 3 + colour]);
            for (colour, value) in pixel.iter_mut().enumerate() {
                let above = read(top, left, colour) * (1.0 - h) + read(top, right, colour) * h;
                let below = read(bottom, left, colour) * (1.0 - h) + read(bottom, right, colour) * h;
                // To the nearest; `round` would be a call for every byte.
                *value = (above * (1.0 - v) + below * v + 0.5) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 4x4 picture whose red is 10 * row + column, green and blue twice and three times that.
    fn numbered() -> Vec<u8> {
        (0..16u8).flat_map(|i| [1, 2, 3].map(|c| c * (10 * (i / 4) + i % 4))).collect()
    }

    fn red(affine: Affine) -> Vec<u8> {
        let mut target = vec![7; 48];
        affine.apply(&numbered(), 4, &mut target);
        assert!(target.chunks(3).all(|p| p == [128; 3] || p[1].abs_diff(2 * p[0]) <= 1));
        target.chunks(3).map(|p| p[0]).collect()
    }

    #[test]
    fn the_whole_window_is_the_picture() {
        let plain: Vec<u8> = numbered().chunks(3).map(|p| p[0]).collect();
        assert_eq!(red(Affine::window([0.0; 2], [4.0; 2], 4)), plain);
        assert_eq!(red(Affine::around_middle([[1.0, 0.0], [0.0, 1.0]], [0.0; 2], 4)), plain);
    }

    #[test]
    fn a_quarter_is_stretched_to_the_whole() {
        // Rows at 1.75, 2.25, 2.75 and 3.25, the last one held at the edge; columns likewise.
        let found = red(Affine::window([2.0, 2.0], [2.0, 2.0], 4));
        assert_eq!(found[..4], [19, 20, 20, 21]);
        assert_eq!(found[15], 33);
    }

    #[test]
    fn a_half_turn_reverses_and_a_move_leaves_grey() {
        let plain: Vec<u8> = numbered().chunks(3).map(|p| p[0]).collect();
        let turned = red(Affine::around_middle([[-1.0, 0.0], [0.0, -1.0]], [0.0; 2], 4));
        assert_eq!(turned, plain.iter().rev().copied().collect::<Vec<_>>());
        let moved = red(Affine::around_middle([[1.0, 0.0], [0.0, 1.0]], [2.0, 0.0], 4));
        assert_eq!(moved[..4], [2, 3, 128, 128]);
    }
}
