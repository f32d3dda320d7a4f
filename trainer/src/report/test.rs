//! What the model file said to the test pictures.

use crate::data::Pictures;
use crate::eval::{Answer, Evaluation};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ExtendedColorType, ImageEncoder};
use lsspq::card::Accuracy;
use serde::{Deserialize, Serialize};

/// Mistakes that are shown.
const SHOWN: usize = 24;

/// Accuracy, who was taken for whom, and the worst mistakes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// Names of the classes.
    pub labels: Vec<String>,
    /// Over all pictures.
    pub accuracy: Accuracy,
    /// For every class in the order of the labels.
    pub classes: Vec<Accuracy>,
    /// `[right class][answer]`: how many pictures.
    pub confusion: Vec<Vec<u64>>,
    /// The wrong answers that the model was surest of, the surest first.
    pub mistakes: Vec<Mistake>,
}

/// A picture that was taken for something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Number of the picture in the test split, from 0.
    pub number: usize,
    /// The right class.
    pub class: usize,
    /// What the model took it for.
    pub answer: usize,
    /// How sure the model was of it, 0 to 1.
    pub probability: f32,
    /// The picture as the network saw it, as a `data:` address of a PNG file.
    pub picture: String,
}

impl Test {
    /// From an evaluation on those pictures.
    pub fn new(evaluation: &Evaluation, pictures: &Pictures) -> Self {
        let count = pictures.classes.len();
        let mut confusion = vec![vec![0; count]; count];
        for answer in &evaluation.answers {
            if let Some(cell) = confusion.get_mut(answer.class).and_then(|row| row.get_mut(answer.first)) {
                *cell += 1;
            }
        }
        let mut wrong: Vec<(usize, &Answer)> =
            evaluation.answers.iter().enumerate().filter(|(_, a)| a.class != a.first).collect();
        wrong.sort_by(|(m, a), (n, b)| b.probability.total_cmp(&a.probability).then(m.cmp(n)));
        let mistake = |&(number, answer): &(usize, &Answer)| Mistake {
            number,
            class: answer.class,
            answer: answer.first,
            probability: answer.probability,
            picture: png(pictures.picture(number), pictures.side),
        };
        Self {
            labels: pictures.classes.clone(),
            accuracy: evaluation.accuracy,
            classes: evaluation.classes.clone(),
            confusion,
            mistakes: wrong.iter().take(SHOWN).map(mistake).collect(),
        }
    }

    /// Pairs of classes that were taken for each other, the most frequent first: right class, answer, pictures.
    pub fn mixed_up(&self) -> Vec<(usize, usize, u64)> {
        let cells = self
            .confusion
            .iter()
            .enumerate()
            .flat_map(|(class, row)| row.iter().enumerate().map(move |(answer, &count)| (class, answer, count)));
        let mut pairs: Vec<_> = cells.filter(|&(class, answer, count)| class != answer && count > 0).collect();
        pairs.sort_by_key(|&(class, answer, count)| (std::cmp::Reverse(count), class, answer));
        pairs
    }
}

/// RGB bytes as a `data:` address.
fn png(rgb: &[u8], side: usize) -> String {
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(rgb, side as u32, side as u32, ExtendedColorType::Rgb8)
        .expect("a picture has the bytes that its side says, and memory takes them");
    format!("data:image/png;base64,{}", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(class: usize, first: usize, probability: f32) -> Answer {
        Answer { class, first, probability, place: usize::from(class != first) }
    }

    #[test]
    fn mistakes_are_counted_by_pair_and_the_surest_comes_first() {
        let answers = vec![answer(0, 0, 0.9), answer(0, 1, 0.6), answer(1, 0, 0.8), answer(0, 1, 0.7)];
        let pictures = Pictures {
            side: 2,
            pixels: (0..4 * 12).collect(),
            labels: vec![0, 0, 1, 0],
            classes: vec!["cat".into(), "dog".into()],
        };
        let accuracy = |images, top1| Accuracy { images, top1, top5: images };
        let evaluation =
            Evaluation { accuracy: accuracy(4, 1), classes: vec![accuracy(3, 1), accuracy(1, 0)], answers };
        let test = Test::new(&evaluation, &pictures);
        assert_eq!(test.confusion, [[1, 2], [1, 0]]);
        assert_eq!(test.mixed_up(), [(0, 1, 2), (1, 0, 1)]);
        assert_eq!(test.mistakes.iter().map(|m| m.number).collect::<Vec<_>>(), [2, 3, 1]);
        let bytes = STANDARD.decode(test.mistakes[0].picture.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        let read = image::load_from_memory(&bytes).unwrap().into_rgb8();
        assert_eq!(read.as_raw(), pictures.picture(2));
    }
}
