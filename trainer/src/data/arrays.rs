//! NumPy's arrays: pictures for a teacher in another program, and what it answers.

use super::Pictures;
use crate::error::Error;
use crate::file;
use half::f16;
use npyz::{AutoSerialize, DType, NpyFile, TypeChar, WriterBuilder};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes some of the pictures into a folder, which is made where it is not there: `pictures.npy` (uint8, `[pictures, rows,
/// columns, 3]`), `labels.npy` (uint16, `[pictures]`) and `classes.txt` (a name on each line).
///
/// # Errors
/// [`Storage`](crate::ErrorKind::Storage) where a file cannot be written.
pub fn write_arrays(folder: &Path, pictures: &Pictures, indices: &[u32]) -> Result<(), Error> {
    let (count, side) = (indices.len() as u64, pictures.side as u64);
    let pixels = indices.iter().flat_map(|&i| pictures.picture(i as usize)).copied();
    write_pixels(folder, &[count, side, side, 3], pixels)?;
    write_labels(folder, pictures, indices)
}

/// Writes `pictures.npy`.
pub(crate) fn write_pixels(folder: &Path, shape: &[u64], pixels: impl Iterator<Item = u8>) -> Result<(), Error> {
    write(&folder.join("pictures.npy"), |file| fill(file, shape, pixels))
}

/// Writes `labels.npy` and `classes.txt`.
pub(crate) fn write_labels(folder: &Path, pictures: &Pictures, indices: &[u32]) -> Result<(), Error> {
    let labels = indices.iter().map(|&i| pictures.labels[i as usize]);
    write(&folder.join("labels.npy"), |file| fill(file, &[indices.len() as u64], labels))?;
    let names: String = pictures.classes.iter().flat_map(|name| [name, "\n"]).collect();
    write(&folder.join("classes.txt"), |file| file.write_all(names.as_bytes()))
}

fn write(path: &Path, fill: impl FnOnce(&mut io::BufWriter<File>) -> io::Result<()>) -> Result<(), Error> {
    file::write_with(path, fill).map_err(|e| Error::storage(format!("{} cannot be written: {e}", path.display())))
}

fn fill<T: AutoSerialize>(to: impl io::Write, shape: &[u64], values: impl Iterator<Item = T>) -> io::Result<()> {
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(to).begin_nd()?;
    writer.extend(values)?;
    writer.finish()
}

/// An array of floats of any width, with two dimensions or three: its values, row by row, and its shape.
///
/// # Errors
/// [`Data`](crate::ErrorKind::Data) where the file cannot be read, or is another array or none.
pub fn read_rows(path: &Path) -> Result<(Vec<f32>, Vec<usize>), Error> {
    let read = || {
        let file = NpyFile::new(io::BufReader::new(File::open(path)?))?;
        let (shape, order, dtype) = (file.shape().to_vec(), file.order(), file.dtype());
        let wanted = "allowed is an array of floats with two or three dimensions, in C order";
        if !(2..=3).contains(&shape.len()) {
            return Err(io::Error::other(format!("its shape is {shape:?}: {wanted}")));
        }
        if order != npyz::Order::C {
            return Err(io::Error::other(format!("it is in Fortran order: {wanted}")));
        }
        let values = match &dtype {
            DType::Plain(t) if t.type_char() == TypeChar::Float && t.size_field() == 2 => {
                file.into_vec::<f16>()?.into_iter().map(f32::from).collect()
            }
            DType::Plain(t) if t.type_char() == TypeChar::Float && t.size_field() == 4 => file.into_vec::<f32>()?,
            DType::Plain(t) if t.type_char() == TypeChar::Float && t.size_field() == 8 => {
                file.into_vec::<f64>()?.into_iter().map(|v| v as f32).collect()
            }
            other => return Err(io::Error::other(format!("it holds {}: {wanted}", other.descr()))),
        };
        Ok((values, shape.into_iter().map(|n| n as usize).collect()))
    };
    read().map_err(|e| Error::data(format!("{} cannot be read: {e}", path.display())))
}

/// Writes what [`read_rows`] reads.
#[cfg(test)]
pub(crate) fn write_rows(path: &Path, values: &[f32], shape: &[u64]) {
    write(path, |file| fill(file, shape, values.iter().copied())).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn pictures_are_written_in_their_order_with_their_labels() {
        let (place, pictures) = (tempfile::tempdir().unwrap(), fixture::pictures(2, 0, 8, 1));
        let folder = place.path().join("deep/arrays");
        write_arrays(&folder, &pictures, &[5, 0]).unwrap();
        let file = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let bytes = file("pictures.npy");
        let pixels = NpyFile::new(&bytes[..]).unwrap();
        assert_eq!(pixels.shape(), [2, 8, 8, 3]);
        assert_eq!(pixels.into_vec::<u8>().unwrap(), [pictures.picture(5), pictures.picture(0)].concat());
        let labels = NpyFile::new(&file("labels.npy")[..]).unwrap().into_vec::<u16>().unwrap();
        assert_eq!(labels, [pictures.labels[5], pictures.labels[0]]);
        assert_eq!(String::from_utf8(file("classes.txt")).unwrap().lines().collect::<Vec<_>>(), pictures.classes);
    }

    fn array<T: AutoSerialize>(shape: &[u64], values: impl Iterator<Item = T>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        fill(&mut bytes, shape, values).map(|()| bytes)
    }

    #[test]
    fn rows_of_every_width_are_read_and_other_arrays_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("answers.npy");
        let values = [1.5, -2.0, 0.25, 8.0, 0.0, 3.0];
        let read = |bytes: io::Result<Vec<u8>>| {
            std::fs::write(&path, bytes.unwrap()).unwrap();
            read_rows(&path)
        };
        let wanted = (values.to_vec(), vec![2, 3]);
        assert_eq!(read(array(&[2, 3], values.into_iter())).unwrap(), wanted);
        assert_eq!(read(array(&[2, 3], values.iter().map(|&v| f16::from_f32(v)))).unwrap(), wanted);
        assert_eq!(read(array(&[2, 3], values.iter().map(|&v| f64::from(v)))).unwrap(), wanted);
        assert_eq!(read(array(&[1, 2, 3], values.into_iter())).unwrap(), (values.to_vec(), vec![1, 2, 3]));
        let refused = |bytes, why: &str| {
            let message = read(bytes).unwrap_err().to_string();
            assert!(message.contains("answers.npy") && message.contains(why), "{message}");
        };
        refused(array(&[6], values.into_iter()), "two or three dimensions");
        refused(array(&[2, 3], values.iter().map(|&v| v as i32)), "floats");
        refused(Ok(b"no array".to_vec()), "cannot be read");
        let mut cut = array(&[2, 3], values.into_iter()).unwrap();
        cut.pop();
        refused(Ok(cut), "cannot be read");
    }
}
