//! `quickstart`: sample orders, a job on them, and what to do next.

use std::time::Instant;

use jiff::civil::Date;

use super::args::QuickstartArgs;
use super::commands::{summarise, with_threads, write_sample};
use super::console::Console;
use crate::error::{Error, Result};
use crate::job::{Overrides, parse, resolve};
use crate::pipeline;
use crate::sample::SampleSpec;

/// The job that quickstart writes next to the orders, for users to adapt.
const JOB: &str = include_str!("../../jobs/quickstart.toml");

pub(super) fn run(args: &QuickstartArgs, console: &Console) -> Result<()> {
    let began = Instant::now();
    let mut spec = SampleSpec::new(args.orders, 1, Date::constant(2023, 1, 1), Date::constant(2024, 12, 31));
    spec.service = true;
    let (orders, file) = (args.folder.join("orders"), args.folder.join("quickstart.toml"));
    with_threads(args.threads, || {
        write_sample(&spec, &orders, console)?;
        std::fs::write(&file, JOB)
            .map_err(|e| Error::output(format!("cannot write {}: {e}; choose another folder", file.display())).caused_by(e))?;
        let (raw, source) = parse::load(&file, &[])?;
        let job = resolve(raw, source, &Overrides::default())?;
        let outcome = pipeline::run(&job, console)?;
        summarise(&job, &outcome, began, console);
        Ok(())
    })?;
    let folder = args.folder.display();
    console.say(&format!(
        "\nWhat happened: {} seeded sample orders were written to {folder}/orders, with service tickets and their cost beside\n\
         them, and the job {} scored and segmented their customers at the end of 2024, with a trend over the seven quarters\n\
         before, and with what serving each segment cost. Open\n\
         {folder}/out/latest/report/index.html in a browser; the tables lie in {folder}/out/latest, every as-of date ever run\n\
         in {folder}/out/tables.\n\n\
         Next:\n  rfmill open {folder}/out\n  rfmill explain {}\n  rfmill run {} --as-of 2024-05-31\n  rfmill verify {folder}/out\n\n\
         Then copy the job file and put in the path and the columns of your own orders.",
        super::console::count(args.orders),
        file.display(),
        file.display(),
        file.display(),
    ));
    Ok(())
}
