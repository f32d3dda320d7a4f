//! The JavaScript class in a window of a real browser: `wasm-pack test --headless --chrome --release -- --test browser`.
#![cfg(target_arch = "wasm32")]

mod golden;
mod javascript;
mod pictures;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
