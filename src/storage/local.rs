//! Files on a disk of this machine.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::created::Created;
use super::fault::{Fault, ReadError, WriteError};
use super::object::Listed;
use super::state::{FileState, Version};

/// Opens a file that must be a regular one. A pipe that took its place does not make the program wait for a writer.
pub(super) fn open(path: &Path) -> Result<(File, FileState), ReadError> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(unopened)?;
    let stat = file.metadata().map_err(unopened)?;
    match stat.is_file() {
        true => Ok((file, state_of(&stat))),
        false => Err(unopened(std::io::Error::other("it is not a regular file"))),
    }
}

pub(super) fn state(path: &Path) -> Result<FileState, ReadError> {
    std::fs::metadata(path).map(|stat| state_of(&stat)).map_err(unopened)
}

pub(super) fn names_below(folder: &Path) -> Result<BTreeSet<String>, ReadError> {
    let entries = std::fs::read_dir(folder).map_err(unopened)?;
    entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()).map_err(unopened)).collect()
}

fn state_of(stat: &Metadata) -> FileState {
    let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
    FileState {
        size: stat.len(),
        modified_ns: ns(stat.mtime(), stat.mtime_nsec()),
        version: Version::Local { changed_ns: ns(stat.ctime(), stat.ctime_nsec()), inode: stat.ino() },
    }
}

pub(super) fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> Result<(), ReadError> {
    file.read_exact_at(buffer, at).map_err(|e| match e.kind() {
        ErrorKind::UnexpectedEof => ReadError::shorter(),
        _ => unread(e),
    })
}

/// The bytes of a range. Buffers are reused without zeroing them: faulting in new pages would cost as much as some decoding.
pub(super) fn read_range(mut file: &File, range: &Range<u64>, buffers: &mut Vec<Vec<u8>>) -> Result<Bytes, ReadError> {
    let length = range.end - range.start;
    let mut bytes = buffers.pop().unwrap_or_default();
    bytes.clear();
    bytes.reserve(length as usize);
    let read = file.seek(SeekFrom::Start(range.start)).and_then(|_| file.take(length).read_to_end(&mut bytes));
    read.map_err(|e| unread(e).at(range.start))?;
    if bytes.len() as u64 == length { Ok(Bytes::from(bytes)) } else { Err(ReadError::shorter()) }
}

/// Creates a file with its folders: written beside its name, made durable, and linked to the name, which never replaces one.
pub(super) fn create(path: &Path, bytes: &[u8]) -> Result<Created, WriteError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    create_folders(folder).map_err(unwritten)?;
    let draft = draft_of(path);
    let linked = write(&draft, bytes).and_then(|()| fs::hard_link(&draft, path));
    let _ = fs::remove_file(&draft);
    let created = match linked {
        Ok(()) => Created::New,
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Created::Existed,
        Err(e) => return Err(unwritten(e)),
    };
    // One that another process has just linked may not be durable yet.
    sync_folder(folder).map_err(unwritten)?;
    Ok(created)
}

/// How the names of files end that are being written; a killed process leaves them.
const DRAFT: &str = ".draft";

/// A name beside a file that no other writer uses.
fn draft_of(path: &Path) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    path.with_file_name(format!(".{name}.{process}-{number}{DRAFT}"))
}

fn write(draft: &Path, bytes: &[u8]) -> io::Result<()> {
    // Of another machine, or of a process that had this number before.
    let _ = fs::remove_file(draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Moves a file to a name, durably; it is copied where it lies on another disk.
pub(super) fn take(path: &Path, file: &Path) -> Result<(), WriteError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    create_folders(folder).map_err(unwritten)?;
    let moved = File::open(file).and_then(|opened| opened.sync_all()).and_then(|()| fs::rename(file, path));
    let moved = match moved {
        Err(e) if e.kind() == ErrorKind::CrossesDevices => copy(path, file),
        moved => moved,
    };
    moved.and_then(|()| sync_folder(folder)).map_err(unwritten)
}

fn copy(path: &Path, file: &Path) -> io::Result<()> {
    let draft = draft_of(path);
    let copied = fs::copy(file, &draft).and_then(|_| File::open(&draft)?.sync_all()).and_then(|()| fs::rename(&draft, path));
    let _ = fs::remove_file(if copied.is_ok() { file } else { &draft });
    copied
}

/// Makes a folder with those above it, durably.
fn create_folders(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.is_dir()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    missing.into_iter().filter_map(Path::parent).try_for_each(sync_folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Who may write there and not read can still write.
        Err(e) if e.kind() != ErrorKind::PermissionDenied => Err(e),
        _ => Ok(()),
    }
}

/// Puts a file in the place of any that is there.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    create_folders(folder).map_err(unwritten)?;
    let draft = draft_of(path);
    let renamed = write(&draft, bytes).and_then(|()| fs::rename(&draft, path)).inspect_err(|_| drop(fs::remove_file(&draft)));
    renamed.and_then(|()| sync_folder(folder)).map_err(unwritten)
}

pub(super) fn list(root: &Path) -> Result<Vec<Listed>, ReadError> {
    let mut all = Vec::new();
    let mut folders = vec![(root.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            // Another process may have removed it meanwhile.
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(e) => return Err(unopened(e)),
        };
        for entry in entries {
            let entry = entry.map_err(unopened)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let key = format!("{prefix}{name}");
            let stat = match entry.metadata() {
                Ok(stat) => stat,
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                Err(e) => return Err(unopened(e)),
            };
            if stat.is_dir() {
                folders.push((entry.path(), format!("{key}/")));
            } else if stat.is_file() && !name.ends_with(DRAFT) {
                all.push(Listed { key, size: stat.len(), modified_ns: state_of(&stat).modified_ns });
            }
        }
    }
    all.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    Ok(all)
}

pub(super) fn delete(path: &Path) -> Result<(), WriteError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(unwritten(e)),
        _ => Ok(()),
    }
}

fn unwritten(error: io::Error) -> WriteError {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space or choose another place",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "check its permissions or choose another place",
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "a part of the path is no folder, so choose another place",
        ErrorKind::Unsupported => "its file system has no hard links, so choose another place",
        _ => "check the disk or choose another place",
    };
    WriteError::new(&error, advice).caused_by(error)
}

fn unopened(error: std::io::Error) -> ReadError {
    let fault = if error.kind() == ErrorKind::NotFound { Fault::Missing } else { Fault::Failed };
    ReadError::new(fault, &error, "check the file and its permissions").caused_by(error)
}

fn unread(error: std::io::Error) -> ReadError {
    ReadError::new(Fault::Failed, &error, "check the disk and run again").caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;
    use crate::temp::tempdir;

    fn names(place: &Place) -> Vec<String> {
        place.list().expect("a listing").into_iter().map(|listed| format!("{} {}", listed.key, listed.size)).collect()
    }

    #[test]
    fn a_file_is_created_once_and_never_replaced() {
        let temp = tempdir().expect("a folder");
        let root = Place::Local(temp.path().join("a/b"));
        let file = root.join("c/d.json");
        assert_eq!(names(&root), Vec::<String>::new());
        assert_eq!(file.create(Bytes::from_static(b"one")).expect("created"), Created::New);
        assert_eq!(file.create(Bytes::from_static(b"two!")).expect("refused"), Created::Existed);
        assert_eq!(file.read().expect("bytes"), b"one");
        assert_eq!(root.join("c-").create(Bytes::new()).expect("created"), Created::New);
        // What a killed writer leaves is no file of the place.
        fs::write(temp.path().join("a/b/c/.d.json.7-1.draft"), "on").expect("a draft");
        assert_eq!(names(&root), ["c- 0", "c/d.json 3"]);
        file.replace(Bytes::from_static(b"three")).expect("replaced");
        assert_eq!(file.read().expect("bytes"), b"three");
        file.delete().expect("removed");
        file.delete().expect("gone already");
        assert_eq!(names(&root), ["c- 0"]);
    }

    #[test]
    fn of_many_writers_one_creates_the_file() {
        let temp = tempdir().expect("a folder");
        let file = Place::Local(temp.path().join("x/record"));
        let write = |number: u8| file.create(Bytes::from(vec![number; 1000])).expect("no failure");
        let write = &write;
        let created = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..16).map(|number| scope.spawn(move || (number, write(number)))).collect();
            writers.into_iter().map(|writer| writer.join().expect("a writer")).collect::<Vec<_>>()
        });
        let winners: Vec<u8> =
            created.iter().filter(|(_, created)| *created == Created::New).map(|(number, _)| *number).collect();
        let [winner] = winners[..] else { panic!("{winners:?} created it") };
        assert_eq!(file.read().expect("bytes"), vec![winner; 1000]);
        assert_eq!(names(&Place::Local(temp.path().to_owned())), ["x/record 1000"]);
    }

    #[test]
    fn what_cannot_be_written_is_an_error_of_the_output() {
        let temp = tempdir().expect("a folder");
        fs::write(temp.path().join("file"), "x").expect("a file");
        let place = Place::Local(temp.path().join("file/below"));
        let error = place.create(Bytes::new()).expect_err("no folder").of("work/below");
        assert_eq!(error.kind().exit_code(), 6);
        assert!(error.to_string().starts_with("cannot write work/below: "), "{error}");
        assert!(error.to_string().ends_with("a part of the path is no folder, so choose another place"), "{error}");
    }
}
