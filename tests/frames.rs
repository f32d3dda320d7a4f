//! A frame leaves no memory behind and asks for none but its answer.

use lsspq::Model;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

/// The system's allocator, which counts what this thread asks for.
struct Counting;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: all requests go to the system's allocator as they come; the counters are plain numbers of this thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
        let _ = HELD.try_with(|held| held.set(held.get() + layout.size() as isize));
        // SAFETY: the caller keeps the promises of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let _ = HELD.try_with(|held| held.set(held.get() - layout.size() as isize));
        // SAFETY: the caller keeps the promises of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_frame_asks_for_the_memory_of_its_answer_alone() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models/cifar10.onnx");
    let model = Model::load(&std::fs::read(path).expect("the shipped model is part of the project")).unwrap();
    assert!(model.is_whole(), "{:#?}", model.plan());
    let input = vec![0.4; 3 * model.card().spec.input.pow(2)];
    let first = model.run(&input).unwrap();
    let (asked, held) = (ASKED.get(), HELD.get());
    for _ in 0..20 {
        let output = model.run(&input).unwrap();
        assert_eq!(output, first);
    }
    assert_eq!(HELD.get(), held);
    // Logits and embedding.
    assert_eq!(ASKED.get() - asked, 2 * 20);
}
