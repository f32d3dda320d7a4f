//! The JavaScript class in a dedicated worker, where the page has it:
//! `wasm-pack test --headless --chrome --release -- --test worker`.
#![cfg(target_arch = "wasm32")]

mod golden;
mod javascript;
mod pictures;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
