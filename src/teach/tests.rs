//! Teaching as a whole, on embeddings that are made up; those of the shipped model are in tests/teach.rs.

use super::classes::rounded;
use super::file::MAX_BYTES;
use super::*;
use crate::error::ErrorKind;

const FEATURES: usize = 24;
const MODEL: [u8; 32] = [7; 32];

/// The embedding of picture `number` of a class: the class's own features are high, and there is some grain.
fn embedding(class: usize, number: usize) -> Vec<f32> {
    let grain = |i: usize| ((number * 31 + i * 17 + class * 7) % 13) as f32 / 13.0;
    (0..FEATURES).map(|i| if i % 3 == class { 4.0 } else { 1.0 } + grain(i)).collect()
}

/// Classes of that many pictures each.
fn taught(counts: &[usize]) -> Teacher {
    let mut teacher = Teacher::empty(MODEL, FEATURES);
    for (class, &count) in counts.iter().enumerate() {
        teacher.add_class(&format!("class {class}")).unwrap();
        for number in 0..count {
            teacher.add(class, &embedding(class, number), number > 0).unwrap();
        }
    }
    teacher.train();
    teacher
}

fn reopened(teacher: &mut Teacher) -> Teacher {
    Teacher::read(MODEL, FEATURES, &teacher.to_bytes()).unwrap()
}

/// Bytes with the checksum that they ought to have.
fn summed(mut content: Vec<u8>) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    content.truncate(content.len() - 32);
    let hash = Sha256::digest(&content);
    content.extend_from_slice(&hash);
    content
}

#[test]
fn taught_classes_are_recognised_from_one_picture_on() {
    for counts in [&[1, 1][..], &[2, 3, 4], &[12, 10, 30]] {
        let teacher = taught(counts);
        let kind = if counts[0] < LOGISTIC_FROM { HeadKind::NearestMean } else { HeadKind::Logistic };
        assert_eq!(teacher.head().unwrap().kind(), kind);
        for class in 0..counts.len() {
            let found = teacher.predict(&embedding(class, 100), 9).unwrap();
            assert_eq!((found[0].index, found.len()), (class, counts.len()), "{counts:?}");
            assert!(found[0].probability > 0.8, "{counts:?}: {found:?}");
            assert!((found.iter().map(|p| p.probability).sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn training_is_the_same_every_time() {
    assert_eq!(taught(&[12, 11]).head(), taught(&[12, 11]).head());
    assert_eq!(taught(&[12, 11]).held_out(), taught(&[12, 11]).held_out());
}

#[test]
fn a_class_with_many_pictures_is_not_the_likelier_one() {
    let teacher = taught(&[200, 10]);
    let middle: Vec<f32> = embedding(0, 3).iter().zip(embedding(1, 3)).map(|(a, b)| (a + b) / 2.0).collect();
    let first = &teacher.predict(&middle, 1).unwrap()[0];
    assert!(first.probability < 0.7, "{first:?}");
}

#[test]
fn held_back_pictures_are_counted_and_give_a_threshold() {
    let teacher = taught(&[20, 7]);
    let held_out = teacher.held_out().unwrap();
    assert_eq!((held_out.right(), held_out.pictures()), (27, 27));
    assert_eq!(held_out.classes[1], HeldOutClass { label: "class 1".into(), right: 7, pictures: 7 });
    assert!((0.6..=0.95).contains(&teacher.threshold()));
    assert!(taught(&[1, 1]).held_out().is_none());
}

#[test]
fn fewer_than_two_classes_with_pictures_have_no_head() {
    for counts in [&[][..], &[5], &[5, 0]] {
        let teacher = taught(counts);
        assert!(teacher.head().is_none() && teacher.held_out().is_none());
        assert_eq!(teacher.predict(&embedding(0, 0), 5).unwrap(), []);
    }
    // A class without pictures is none of the answers.
    assert_eq!(taught(&[3, 0, 2]).head().unwrap().labels(), ["class 0", "class 2"]);
}

#[test]
fn every_step_can_be_undone_in_turn() {
    let mut teacher = Teacher::empty(MODEL, FEATURES);
    assert!(!teacher.can_undo() && !teacher.undo());
    let mut before = vec![teacher.classes().to_vec()];
    let steps: [&dyn Fn(&mut Teacher); 7] = [
        &|t| assert_eq!(t.add_class("mug").unwrap(), 0),
        &|t| (0..3).for_each(|i| assert_eq!(t.add(0, &embedding(0, i as usize), i > 0).unwrap(), i)),
        &|t| assert_eq!(t.add(0, &embedding(0, 9), false).unwrap(), 3),
        &|t| assert_eq!(t.add_class("hand").unwrap(), 1),
        &|t| t.rename_class(0, "cup").unwrap(),
        &|t| t.remove(1).unwrap(),
        &|t| t.remove_class(0).unwrap(),
    ];
    for step in steps {
        step(&mut teacher);
        before.push(teacher.classes().to_vec());
    }
    assert_eq!(before.last().unwrap().len(), 1);
    while let Some(wanted) = before.pop() {
        assert_eq!(teacher.classes(), wanted);
        assert_eq!(teacher.undo(), !before.is_empty());
    }
}

#[test]
fn pictures_of_another_class_begin_a_batch_of_their_own() {
    let mut teacher = taught(&[2, 2]);
    teacher.add(0, &embedding(0, 5), true).unwrap();
    assert!(teacher.undo());
    assert_eq!(teacher.examples(), 4);
    assert!(teacher.undo());
    assert_eq!(teacher.examples(), 2);
}

#[test]
fn a_renamed_class_does_not_count_as_a_step_where_the_name_stays() {
    let mut teacher = taught(&[1]);
    teacher.rename_class(0, " class 0 ").unwrap();
    teacher.undo();
    assert_eq!(teacher.examples(), 0, "the picture was the last step");
}

#[test]
fn names_identities_and_embeddings_that_cannot_be_are_refused() {
    let mut teacher = taught(&[2, 1]);
    for name in ["", "  ", "Class 0", " class 1 ", "two\nlines", &"x".repeat(MAX_NAME + 1)] {
        assert_eq!(teacher.add_class(name).unwrap_err().kind(), ErrorKind::Classes, "{name:?}");
        let same = name.trim() == "class 1";
        assert_eq!(teacher.rename_class(1, name).is_ok(), same, "{name:?}");
    }
    assert_eq!(teacher.rename_class(2, "x").unwrap_err().kind(), ErrorKind::Classes);
    assert_eq!(teacher.remove_class(2).unwrap_err().kind(), ErrorKind::Classes);
    assert_eq!(teacher.remove(3).unwrap_err().kind(), ErrorKind::Classes);
    assert_eq!(teacher.add(2, &[0.0; FEATURES], false).unwrap_err().kind(), ErrorKind::Classes);
    for bad in [vec![0.0; FEATURES - 1], vec![f32::NAN; FEATURES], vec![f32::INFINITY; FEATURES], vec![]] {
        assert_eq!(teacher.add(0, &bad, false).unwrap_err().kind(), ErrorKind::Inference);
        assert_eq!(teacher.predict(&bad, 1).unwrap_err().kind(), ErrorKind::Inference);
    }
    assert_eq!((teacher.examples(), teacher.classes().len()), (3, 2));
    for i in 2..MAX_CLASSES {
        teacher.add_class(&format!("class {i}")).unwrap();
    }
    assert_eq!(teacher.add_class("one more").unwrap_err().kind(), ErrorKind::Classes);
}

#[test]
fn huge_and_equal_embeddings_give_probabilities_all_the_same() {
    let mut teacher = Teacher::empty(MODEL, 2);
    for (class, value) in [(0, 3e38), (0, 3e38), (1, -3e38)] {
        let _ = teacher.add_class(&format!("class {class}"));
        teacher.add(class, &[value, value], false).unwrap();
    }
    teacher.train();
    for embedding in [[3e38, 3e38], [-3e38, 3e38], [0.0, 0.0]] {
        let found = teacher.predict(&embedding, 2).unwrap();
        assert!(found.iter().all(|p| (0.0..=1.0).contains(&p.probability)), "{found:?}");
    }
    let mut same = Teacher::empty(MODEL, 2);
    for class in 0..2 {
        same.add_class(&format!("class {class}")).unwrap();
        same.add(class, &[1.0, 1.0], false).unwrap();
    }
    same.train();
    assert_eq!(same.predict(&[1.0, 1.0], 1).unwrap()[0].probability, 0.5);
}

#[test]
fn teaching_goes_on_from_a_file_as_if_it_had_not_been_closed() {
    for counts in [&[2, 3][..], &[12, 0, 10], &[4]] {
        let mut teacher = taught(counts);
        let mut opened = reopened(&mut teacher);
        assert_eq!(opened.head(), teacher.head());
        let names = |t: &Teacher| t.classes().iter().map(|c| (c.name().to_owned(), c.ids().len())).collect::<Vec<_>>();
        assert_eq!(names(&opened), names(&teacher));
        assert!(!opened.can_undo());
        for t in [&mut teacher, &mut opened] {
            t.add(0, &embedding(0, 77), false).unwrap();
            t.train();
        }
        assert_eq!(opened.head(), teacher.head());
        assert_eq!(opened.held_out(), teacher.held_out());
        assert_eq!(opened.to_bytes(), teacher.to_bytes());
    }
}

#[test]
fn the_file_is_small_and_carries_the_head_of_its_own_pictures() {
    let mut teacher = taught(&[10, 10]);
    assert_eq!(
        teacher.to_bytes().len(),
        8 + 2 + 32 + 6 + 2 * (2 + 7 + 4) + 20 * FEATURES * 2 + 1 + 2 * (FEATURES + 1) * 4 + 32
    );
    teacher.remove_class(0).unwrap();
    // Not the head that was trained with two classes.
    assert!(reopened(&mut teacher).head().is_none());
}

#[test]
fn a_file_of_another_model_is_refused_as_such() {
    let bytes = taught(&[1, 1]).to_bytes();
    assert_eq!(Teacher::read([8; 32], FEATURES, &bytes).unwrap_err().kind(), ErrorKind::OtherModel);
    assert_eq!(Teacher::read(MODEL, FEATURES + 1, &bytes).unwrap_err().kind(), ErrorKind::Taught);
}

#[test]
fn truncated_and_flipped_bytes_are_refused_without_a_panic() {
    let bytes = taught(&[2, 2]).to_bytes();
    for length in 0..bytes.len() {
        assert_eq!(Teacher::read(MODEL, FEATURES, &bytes[..length]).unwrap_err().kind(), ErrorKind::Taught, "{length}");
    }
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x41;
        assert_eq!(Teacher::read(MODEL, FEATURES, &flipped).unwrap_err().kind(), ErrorKind::Taught, "{at}");
        // Nor with a checksum that fits: then it may be read, if it is one that could have been written.
        if let Ok(mut teacher) = Teacher::read(MODEL, FEATURES, &summed(flipped)) {
            teacher.train();
            let found = teacher.predict(&embedding(0, 0), 2).unwrap();
            assert!(found.iter().all(|p| p.probability.is_finite()), "{at}");
        }
    }
    let longer = summed([&bytes[..], &[0; 5]].concat());
    assert_eq!(Teacher::read(MODEL, FEATURES, &longer).unwrap_err().kind(), ErrorKind::Taught);
    let mut newer = bytes.clone();
    newer[8] = 2;
    assert!(Teacher::read(MODEL, FEATURES, &newer).unwrap_err().to_string().contains("version 2"));
    assert_eq!(Teacher::read(MODEL, FEATURES, b"GIF89a").unwrap_err().kind(), ErrorKind::Taught);
    let endless = [&bytes[..8], &vec![0; MAX_BYTES][..]].concat();
    assert!(Teacher::read(MODEL, FEATURES, &endless).unwrap_err().to_string().contains("MiB"));
}

#[test]
fn claims_that_no_file_could_keep_are_refused() {
    let bytes = taught(&[1, 1]).to_bytes();
    // Behind magic, version, hash, features, classes, and the first name: its number of pictures.
    let count = 8 + 2 + 32 + 6 + 2 + 7;
    for (at, claim) in [(count, &[255; 4][..]), (46, &[255, 255]), (48, &[255, 255]), (50, &[0xff, 0xfe])] {
        let mut claiming = bytes.clone();
        claiming[at..at + claim.len()].copy_from_slice(claim);
        let error = Teacher::read(MODEL, FEATURES, &summed(claiming)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Taught, "{at}");
    }
}

#[test]
fn half_precision_keeps_what_it_can_hold() {
    let kept = rounded(&[0.1, 70000.0, -1e30, 2048.0], 4).unwrap();
    assert!((kept[0] - 0.1).abs() < 1e-4);
    assert_eq!(kept[1..], [65504.0, -65504.0, 2048.0]);
    assert_eq!(rounded(&kept, 4).unwrap(), kept);
}
