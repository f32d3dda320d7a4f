//! One file into one square picture.

use image::{DynamicImage, ImageDecoder, ImageReader};
use lsspq::preprocess::input_from_rgba;
use std::io::Cursor;

/// Decodes the bytes of a JPEG or PNG file (grey, CMYK, palette, 16 bits, transparent: all become RGB, over white) and
/// brings it to `side` x `side` as the library does with every frame it classifies. A rotation noted in the file is
/// applied, as browsers do.
///
/// Returns `[row][column][red, green, blue]`.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode(bytes: &[u8], side: usize) -> Result<Vec<u8>, String> {
    if bytes.is_empty() {
        return Err("it is empty".into());
    }
    if is_cut_off(bytes) {
        return Err("it is a JPEG file whose end is missing".into());
    }
    let read = || -> image::ImageResult<DynamicImage> {
        let mut decoder = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?.into_decoder()?;
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    };
    let picture = read().map_err(|e| e.to_string())?.into_rgba8();
    to_square(picture.as_raw(), picture.width(), picture.height(), side)
}

/// Whether these bytes are a JPEG file without its end: the decoder would paint the missing part grey and say nothing.
fn is_cut_off(bytes: &[u8]) -> bool {
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return false;
    }
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    // Inside coded data 0xff is always followed by zero or a restart marker, so both markers mean what they say.
    let (scan, end) = (last(0xda), last(0xd9));
    end.is_none() || end < scan
}

/// RGBA pixels of any size as the library prepares them, as `side` x `side` RGB bytes.
pub(super) fn to_square(rgba: &[u8], width: u32, height: u32, side: usize) -> Result<Vec<u8>, String> {
    let planes = input_from_rgba(rgba, width, height, side).map_err(|e| e.to_string())?;
    let area = side * side;
    // Every value is a byte over 255, so this loses nothing.
    let byte = |value: f32| (value * 255.0).round() as u8;
    Ok((0..area).flat_map(|i| [planes[i], planes[area + i], planes[2 * area + i]].map(byte)).collect())
}
