//! How a run tells where it is. The steps know this trait; the command line decides what is shown.

/// Hears of steps and of progress within them. Calls come from many threads.
pub trait Progress: Sync {
    /// A step begins; `total` is how much there is to do, 0 if unknown.
    fn begin(&self, step: &'static str, total: u64);
    /// So much more of the step is done.
    fn advance(&self, amount: u64);
    /// The step is done; `detail` says what came of it.
    fn end(&self, detail: &str);
    /// Something the user should know.
    fn warn(&self, message: &str);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _step: &'static str, _total: u64) {}
    fn advance(&self, _amount: u64) {}
    fn end(&self, _detail: &str) {}
    fn warn(&self, _message: &str) {}
}
