//! How often a model file is right: the very file and the very code that run in the browser.

use lsspq::card::{Accuracy, ClassAccuracy};
use lsspq::metrics::{Rate, Rates};
use lsspq::{Error, Model};
use rayon::prelude::*;
use std::fmt::Write;

/// A labelled picture.
#[derive(Clone, Debug)]
pub struct Example {
    /// Pixels row by row from the top left, four bytes each.
    pub rgba: Vec<u8>,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Position of the right class among the model's labels.
    pub class: usize,
}

/// What an evaluation found.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Over all pictures.
    pub accuracy: Accuracy,
    /// For every class of the model in the order of its labels.
    pub classes: Vec<Accuracy>,
    /// What the model said to each picture, in the order of the pictures.
    pub answers: Vec<Answer>,
}

impl Evaluation {
    /// How often each class came first on its own pictures, as a model card has it.
    #[must_use]
    pub fn class_accuracies(&self) -> Vec<ClassAccuracy> {
        self.classes.iter().map(|class| ClassAccuracy { images: class.images, top1: class.top1 }).collect()
    }
}

/// What a model said to one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The right class.
    pub class: usize,
    /// The class that came first.
    pub first: usize,
    /// The probability that the model gave it, 0 to 1.
    pub probability: f32,
    /// How many classes came before the right one.
    pub place: usize,
}

/// Shows a model `count` pictures, which `example` gives by their number, on all cores of the current rayon pool.
///
/// The result does not depend on the number of cores.
///
/// # Errors
/// The first error in the order of the pictures: one of `example`'s, or of the model's; a class that the model does not
/// have is left to [`Evaluation::classes`] to miss, so give labels from the model card.
pub fn evaluate<E>(
    model: &Model,
    count: usize,
    example: impl Fn(usize) -> Result<Example, E> + Sync,
) -> Result<Evaluation, E>
where
    E: From<Error> + Send,
{
    let answers: Vec<Result<Answer, E>> = (0..count)
        .into_par_iter()
        .map(|number| {
            let Example { rgba, width, height, class } = example(number)?;
            let output = model.run(&model.input(&rgba, width, height)?)?;
            let (first, probability) =
                model.predictions(&output, 1).first().map_or((0, 0.0), |p| (p.index, p.probability));
            Ok(Answer { class, first, probability, place: place(&output.logits, class) })
        })
        .collect();
    let none = Accuracy { images: 0, top1: 0, top5: 0 };
    let classes = vec![none; model.card().labels.len()];
    let mut evaluation = Evaluation { accuracy: none, classes, answers: Vec::with_capacity(count) };
    for answer in answers {
        let answer = answer?;
        for accuracy in std::iter::once(&mut evaluation.accuracy).chain(evaluation.classes.get_mut(answer.class)) {
            accuracy.images += 1;
            accuracy.top1 += u64::from(answer.place < 1);
            accuracy.top5 += u64::from(answer.place < 5);
        }
        evaluation.answers.push(answer);
    }
    Ok(evaluation)
}

/// How many classes come before that one: those with larger logits, and of equal ones those listed earlier.
fn place(logits: &[f32], class: usize) -> usize {
    let Some(own) = logits.get(class) else { return logits.len() };
    let before = |(other, logit): &(usize, &f32)| *logit > own || (*logit == own && *other < class);
    logits.iter().enumerate().filter(before).count()
}

/// The evaluation as text for people: top-1 and top-5 with their 95 % intervals, then every class.
pub fn report(evaluation: &Evaluation, labels: &[String]) -> String {
    let mut text = String::new();
    let Some(rates) = Rates::new(evaluation.accuracy) else { return "no pictures\n".into() };
    let mut line = |name: &str, rate: Rate, images: u64| {
        let Rate { percent, low, high } = rate;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}  {percent:6.2} %  (95 %: {low:.2} to {high:.2})  of {images} pictures");
    };
    let width = labels.iter().map(|l| l.chars().count()).max().unwrap_or(0).max(5);
    line(&format!("{:width$}", "top-1"), rates.top1, rates.images);
    line(&format!("{:width$}", "top-5"), rates.top5, rates.images);
    for (label, accuracy) in labels.iter().zip(&evaluation.classes) {
        if let Some(rates) = Rates::new(*accuracy) {
            line(&format!("{label:width$}"), rates.top1, rates.images);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::random;
    use crate::deploy::random::tests::spec;
    use crate::export::tests::card;
    use crate::export::to_onnx;

    fn model() -> Model {
        let spec = spec(2, 4);
        Model::load(&to_onnx(&random(&spec, 3).unwrap(), &card(&spec)).unwrap()).unwrap()
    }

    fn rgba(number: usize) -> Vec<u8> {
        (0..9 * 9 * 4).map(|i| (i * 31 + number * 97) as u8).collect()
    }

    #[test]
    fn a_class_is_placed_behind_larger_and_earlier_equal_ones() {
        let logits = [1.0, 3.0, 1.0, 0.0];
        assert_eq!([0, 1, 2, 3, 9].map(|class| place(&logits, class)), [1, 0, 2, 3, 4]);
    }

    #[test]
    fn right_answers_are_counted_by_class() {
        let model = model();
        let best = |number| model.classify(&rgba(number), 9, 9, 5).unwrap().iter().map(|p| p.index).collect::<Vec<_>>();
        // Every third picture is labelled with the class that the model takes to be the second.
        let class = |number: usize| best(number)[usize::from(number.is_multiple_of(3))];
        let example =
            |number| Ok::<_, Error>(Example { rgba: rgba(number), width: 9, height: 9, class: class(number) });
        let found = evaluate(&model, 12, example).unwrap();
        assert_eq!(found.accuracy, Accuracy { images: 12, top1: 8, top5: 12 });
        assert_eq!(found.classes.iter().map(|c| c.images).sum::<u64>(), 12);
        assert_eq!(found.classes.iter().map(|c| c.top1).sum::<u64>(), 8);
        for (number, answer) in found.answers.iter().enumerate() {
            assert_eq!((answer.class, answer.first), (class(number), best(number)[0]));
            assert_eq!(answer.place, usize::from(number.is_multiple_of(3)));
            assert!(answer.probability >= 0.2 && answer.probability <= 1.0, "{answer:?} of five classes");
        }
        let text = report(&found, &model.card().labels);
        assert!(text.starts_with("top-1     66.67 %  (95 %: 39.06 to 86.19)  of 12 pictures"), "{text}");
    }

    #[test]
    fn the_first_broken_picture_is_the_error() {
        let model = model();
        let example = |number| Ok::<_, Error>(Example { rgba: vec![0; 4 * number], width: 9, height: 9, class: 0 });
        assert!(evaluate(&model, 50, example).unwrap_err().to_string().contains("got 0"));
    }
}
