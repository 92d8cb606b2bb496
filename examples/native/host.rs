//! Rust over the C interface, by plain rustc:
//!
//!   rustc --edition 2021 host.rs -L native=FOLDER -l dylib=optcore -C link-arg=-Wl,-rpath,FOLDER
use std::ffi::{c_char, c_double, c_void, CStr};
use std::{mem, ptr};

#[repr(C)]
struct Tensor {
    struct_size: usize,
    name: *const c_char,
    data: *mut c_void,
    count: i64,
    dtype: i32,
    ndim: i32,
    shape: *const i64,
    strides: *const i64,
    steps: u64,
    copy: *mut c_void,
    copy_dtype: i32,
    reserved: i32,
}

#[repr(C)]
struct Step {
    struct_size: usize,
    count: i64,
    data: *const *mut c_void,
    gradients: *const c_void,
    params: *const *mut c_void,
    grad_scale: c_double,
}

extern "C" {
    fn optcore_last_error() -> *const c_char;
    fn optcore_optimizer_create(name: *const c_char, made: *mut *mut c_void) -> i32;
    fn optcore_optimizer_set(opt: *mut c_void, group: i64, name: *const c_char, to: f64) -> i32;
    fn optcore_optimizer_add(
        opt: *mut c_void,
        group: i64,
        tensor: *const Tensor,
        index: *mut i64,
    ) -> i32;
    fn optcore_optimizer_step(opt: *mut c_void, step: *const Step, result: *mut c_void) -> i32;
    fn optcore_optimizer_destroy(opt: *mut c_void) -> i32;
}

fn check(status: i32) -> Result<(), String> {
    if status == 0 {
        return Ok(());
    }
    // The message lasts until this thread's next call that fails.
    Err(unsafe { CStr::from_ptr(optcore_last_error()) }.to_string_lossy().into_owned())
}

/// An optimizer over one vector, which it borrows for as long as it lives.
struct Optimizer<'a> {
    handle: *mut c_void,
    weights: &'a mut [f32],
}

impl<'a> Optimizer<'a> {
    fn new(rule: &CStr, weights: &'a mut [f32]) -> Result<Self, String> {
        let mut made = Self { handle: ptr::null_mut(), weights };
        let tensor = Tensor {
            struct_size: mem::size_of::<Tensor>(),
            name: c"weights".as_ptr(),
            data: made.weights.as_mut_ptr().cast(),
            count: made.weights.len() as i64,
            ..unsafe { mem::zeroed() }
        };
        unsafe {
            check(optcore_optimizer_create(rule.as_ptr(), &mut made.handle))?;
            check(optcore_optimizer_add(made.handle, 0, &tensor, ptr::null_mut()))?;
        }
        Ok(made)
    }

    fn set(&mut self, name: &CStr, value: f64) -> Result<(), String> {
        check(unsafe { optcore_optimizer_set(self.handle, -1, name.as_ptr(), value) })
    }

    fn step(&mut self, gradient: &mut [f32]) -> Result<(), String> {
        let data = [gradient.as_mut_ptr().cast()];
        let step = Step {
            struct_size: mem::size_of::<Step>(),
            count: 1,
            data: data.as_ptr(),
            ..unsafe { mem::zeroed() }
        };
        check(unsafe { optcore_optimizer_step(self.handle, &step, ptr::null_mut()) })
    }
}

impl Drop for Optimizer<'_> {
    fn drop(&mut self) {
        unsafe { optcore_optimizer_destroy(self.handle) };
    }
}

fn main() -> Result<(), String> {
    let target = [1.0f32, -2.0, 3.0, -4.0];
    let mut weights = [0.0f32; 4];
    let mut optimizer = Optimizer::new(c"nadam", &mut weights)?;
    optimizer.set(c"lr", 0.1)?;
    for _ in 0..300 {
        let mut gradient: Vec<f32> =
            optimizer.weights.iter().zip(target).map(|(w, t)| 2.0 * (w - t)).collect();
        optimizer.step(&mut gradient)?;
    }
    let wrong = optimizer.set(c"lrr", 0.1).unwrap_err();
    drop(optimizer);
    println!("weights = {weights:.2?}; and a mistake is explained: {wrong}");
    let near = weights.iter().zip(target).all(|(w, t)| (w - t).abs() < 0.05);
    if near { Ok(()) } else { Err("the weights are not where they should be".into()) }
}
