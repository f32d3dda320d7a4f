use super::*;

#[test]
fn a_product_of_one_bit_weights_is_a_sum_of_signs() {
    let weights = PointwiseWeights::pack(&[1, 0, 1, 1, 1, 1], 2, 3, 1, 4).unwrap();
    let affine = Affine::new(&[1.0, 0.5], &[0.0, 0.25]).unwrap();
    let mut out = [0.0; 4];
    let epilogue = Epilogue::floats(&affine, &mut out);
    weights.run(&[15, 3, 0, 1, 2, 4], None, epilogue, &mut Scratch::new()).unwrap();
    assert_eq!(out, [12.0, 9.25, 3.0, 3.75]);
}

#[test]
fn levels_are_odd_whole_numbers_around_zero() {
    for bits in 1..=8 {
        let top = ((1_u32 << bits) - 1) as u8;
        let weights = PointwiseWeights::pack(&[0, top], 2, 1, bits, 8).unwrap();
        let mut out = [0.0; 2];
        let unit = Affine::uniform(1.0, 2).unwrap();
        weights.run(&[255], None, Epilogue::floats(&unit, &mut out), &mut Scratch::new()).unwrap();
        assert_eq!(out, [-255.0 * f32::from(top), 255.0 * f32::from(top)], "{bits} bits");
    }
}

#[test]
fn a_shift_reads_zero_outside_the_map() {
    // One channel moved a pixel down and right, one left where it is.
    let map: Vec<u8> = (1..=6).flat_map(|v| [v, 10 * v]).collect();
    let weights = PointwiseWeights::pack(&[1, 0, 0, 1], 2, 2, 1, 8).unwrap();
    let shift = Shift::new(&[(1, 1), (0, 0)], 2, 2, 3).unwrap();
    assert_eq!(shift.output_size(), (1, 2));
    let mut out = [0.0; 4];
    let unit = Affine::uniform(1.0, 2).unwrap();
    weights.run(&map, Some(&shift), Epilogue::floats(&unit, &mut out), &mut Scratch::new()).unwrap();
    assert_eq!(out, [5.0 - 10.0, 10.0 - 5.0, -30.0, 30.0]);
}

#[test]
fn levels_round_ties_to_even_and_stay_in_range() {
    let values = [-3.0, -0.5, 0.5, 1.5, 2.5, 2.500_001, 14.5, 15.5, 1e9, f32::NAN, f32::INFINITY];
    let mut out = [9; 11];
    quantise(&values, None, 15, &mut out).unwrap();
    assert_eq!(out, [0, 0, 0, 2, 2, 3, 14, 15, 15, 0, 15]);
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let message = |result: Result<PointwiseWeights, KernelError>| result.unwrap_err().to_string();
    assert!(message(PointwiseWeights::pack(&[0; 5], 2, 3, 1, 4)).contains("5 values instead of 6"));
    assert!(message(PointwiseWeights::pack(&[4; 6], 2, 3, 2, 4)).contains("level of 4"));
    assert!(message(PointwiseWeights::pack(&[0; 6], 2, 3, 0, 4)).contains("0 bits"));
    assert!(message(PointwiseWeights::pack(&[255; 40_000], 1, 40_000, 8, 8)).contains("32 bits"));
    let weights = PointwiseWeights::pack(&[0; 6], 2, 3, 1, 4).unwrap();
    let unit = Affine::uniform(1.0, 2).unwrap();
    let mut out = [0.0; 3];
    let error = weights.run(&[0; 6], None, Epilogue::floats(&unit, &mut out), &mut Scratch::new()).unwrap_err();
    assert!(error.to_string().contains("3 values instead of 4"), "{error}");
    assert!(Stem::pack(&[0.5; 27], 1, 3, 1, 8, 8).unwrap_err().to_string().contains("whole"));
}

#[test]
fn the_stem_sees_zero_around_the_picture() {
    let (height, width) = (3, 4);
    let stem = Stem::pack(&[1.0; 27], 1, 3, 2, height, width).unwrap();
    assert_eq!(stem.output_size(), (2, 2));
    let planes: Vec<f32> = (0..36).map(|i| (i % 12) as f32 / 255.0).collect();
    let mut whole = vec![0; 36];
    whole_pixels(&planes, [0.0; 3], [255.0; 3], &mut whole).unwrap();
    assert_eq!(whole[..6], [0, 0, 0, 1, 1, 1]);
    let mut out = [0.0; 4];
    let unit = Affine::uniform(1.0, 1).unwrap();
    stem.run(&whole, Epilogue::floats(&unit, &mut out), &mut Scratch::new()).unwrap();
    let window = |cells: &[i32]| 3.0 * cells.iter().sum::<i32>() as f32;
    assert_eq!(
        out,
        [window(&[0, 1, 4, 5]), window(&[1, 2, 3, 5, 6, 7]), window(&[4, 5, 8, 9]), window(&[5, 6, 7, 9, 10, 11])]
    );
}

#[test]
fn bytes_and_floats_become_the_same_whole_pixels() {
    let bytes: Vec<u8> = (0..=255).flat_map(|v| [v, 255 - v, v ^ 85]).collect();
    let planes: Vec<f32> =
        (0..3).flat_map(|c| bytes.iter().skip(c).step_by(3).map(|&v| f32::from(v) / 255.0)).collect();
    let mean = [125.0, 123.0, 114.0].map(|m: f32| m / 255.0);
    let gain = [1.0 / (1.0_f32 / 255.0); 3];
    let (mut of_bytes, mut of_floats) = (vec![0; bytes.len()], vec![0; bytes.len()]);
    whole_pixels(&planes, mean, gain, &mut of_floats).unwrap();
    whole_pixels_from_rgb(&bytes, mean, gain, &mut of_bytes).unwrap();
    assert_eq!(of_bytes, of_floats);
    assert_eq!(of_bytes[..3], [-125, 132, -29]);
}

#[test]
fn pooling_takes_the_most_and_the_mean() {
    let map: Vec<u8> = (0..9).flat_map(|v| [v, 8 - v]).collect();
    let pool = MaxPool { window: 3, stride: 2, pad: 1, height: 3, width: 3, channels: 2 };
    let mut out = [0; 8];
    pool.run(&map, &mut out).unwrap();
    assert_eq!(out, [4, 8, 5, 7, 7, 5, 8, 4]);
    let mut means = [0.0; 2];
    mean(&map, 1.0 / 9.0, &mut means).unwrap();
    assert_eq!(means, [36.0 * (1.0 / 9.0); 2]);
}

#[test]
fn float_products_follow_their_inputs() {
    let weights = FloatWeights::pack_levels(&[0, 3, 2, 1], 2, 2, 2).unwrap();
    let affine = Affine::new(&[2.0, 2.0], &[0.5, -0.5]).unwrap();
    let mut out = [0.0; 2];
    weights.run(&[0.25, 1.5], Epilogue::floats(&affine, &mut out)).unwrap();
    assert_eq!(out, [2.0 * (4.5 - 0.75) + 0.5, 2.0 * (0.25 - 1.5) - 0.5]);
}
