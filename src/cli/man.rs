//! `man`: the manual pages, one of rfmill and one of every command. A page names only pages that are among them.

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::args::{Arguments, ManArgs, command_names};
use super::console::{Console, data};
use crate::error::{Error, Result, suggestion};

pub(super) fn run(args: &ManArgs, console: &Console) -> Result<()> {
    let mut root = Arguments::command().disable_help_subcommand(true);
    root.build();
    if let Some(folder) = &args.output {
        let failed = |what: &str, e: std::io::Error| {
            Error::output(format!("cannot write {what}: {e}; choose another folder")).caused_by(e)
        };
        std::fs::create_dir_all(folder).map_err(|e| failed(&folder.display().to_string(), e))?;
        for command in std::iter::once(&root).chain(root.get_subcommands().filter(|command| !command.is_hide_set())) {
            let man = Man::new(command.clone());
            let path = folder.join(man.get_filename());
            std::fs::write(&path, page(&man)?).map_err(|e| failed(&path.display().to_string(), e))?;
            console.line("written", &path.display().to_string())?;
        }
        return Ok(());
    }
    let command = match &args.command {
        None => &root,
        Some(name) => root.find_subcommand(name).ok_or_else(|| unknown(&root, name))?,
    };
    data(&String::from_utf8_lossy(&page(&Man::new(command.clone()))?))
}

fn unknown(root: &Command, name: &str) -> Error {
    let names = command_names(root);
    let hint = suggestion(name, names.iter().copied());
    Error::usage(format!("rfmill has no command {name:?}{hint} (its commands are {}); name one of them", names.join(", ")))
}

fn page(man: &Man) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    man.render(&mut out).map_err(|e| Error::bug(format!("the manual page cannot be printed: {e}")).caused_by(e))?;
    Ok(out)
}
