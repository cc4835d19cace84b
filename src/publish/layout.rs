//! Names in the output folder.

/// The file that marks the folder as one of rfmill; a run locks it.
pub(super) const MARKER: &str = ".rfmill";
/// The content of the marker.
pub(super) const MARKER_TEXT: &str =
    "This folder is written by rfmill. Read tables/ or latest/; leave the rest alone.\nformat = 1\n";

/// Folder of the generations that `tables` points to.
pub(super) const GENERATIONS: &str = ".tables";
