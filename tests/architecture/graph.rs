//! The source tree as a graph: which file uses which, through `use` declarations and paths, followed through re-exports to
//! the file that defines the name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, ItemFn, UseTree, Visibility};

/// A path as it stands in the code, such as `["super", "key", "Key"]`.
type Segments = Vec<String>;

/// One source file, which is one module.
#[derive(Default)]
struct Module {
    /// Names it defines.
    items: BTreeSet<String>,
    /// Name in the module = what it was imported from.
    imports: BTreeMap<String, Segments>,
    /// Names among `imports` that it only hands on, as long as `idents` lacks them: a re-export is a signpost, not a use.
    reexports: BTreeSet<String>,
    /// `use path::*`.
    globs: Vec<Segments>,
    /// Every word in its code.
    idents: BTreeSet<String>,
    /// Paths in the code, of two segments and more.
    paths: BTreeSet<Segments>,
}

/// A function or method with its length.
pub struct Function {
    /// File and name.
    pub name: String,
    /// Lines from its signature to its closing brace.
    pub lines: usize,
}

/// All modules of the library, with what they use. Code under `#[cfg(test)]` is left out.
#[derive(Default)]
pub struct Graph {
    /// By path below the crate, such as `["sums", "key"]`; the crate itself is `[]`.
    modules: BTreeMap<Segments, Module>,
    /// Lines of every file.
    pub lines: BTreeMap<String, usize>,
    /// Every function.
    pub functions: Vec<Function>,
}

impl Graph {
    /// Reads all sources below a folder.
    pub fn read(src: &Path) -> Graph {
        fn walk(folder: &Path, src: &Path, out: &mut Vec<(String, String)>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    walk(&path, src, out);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let name = path.strip_prefix(src).expect("below src").to_string_lossy().into_owned();
                    out.push((name, fs::read_to_string(&path).expect("a source")));
                }
            }
        }
        let mut files = Vec::new();
        walk(src, src, &mut files);
        Graph::new(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// The graph of sources, each with its path below `src`.
    pub fn new<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Graph {
        let mut graph = Graph::default();
        for (name, text) in files {
            graph.lines.insert(name.into(), text.lines().count());
            if name.ends_with("tests.rs") || name.contains("tests/") {
                continue;
            }
            let file = syn::parse_file(text).unwrap_or_else(|e| panic!("{name}: {e}"));
            let mut lengths = Lengths { file: name, functions: &mut graph.functions };
            lengths.visit_file(&file);
            let mut module = Module::default();
            file.items.iter().for_each(|item| module.add(item));
            graph.modules.insert(module_path(name), module);
        }
        graph
    }

    /// Every pair of a file and another that it uses, with a name that it takes from there.
    pub fn uses(&self) -> BTreeMap<(String, String), String> {
        let mut uses = BTreeMap::new();
        for (own, module) in &self.modules {
            let is_used = |name: &String| !module.reexports.contains(name) || module.idents.contains(name);
            let imports = module.imports.iter().filter(|(name, _)| is_used(name)).map(|(_, path)| path);
            for path in imports.chain(&module.paths) {
                let Some((file, name)) = self.absolute(own, module, path).and_then(|path| self.definition(&path, 0)) else {
                    continue;
                };
                if file != *own {
                    uses.entry((own.join("/"), file.join("/"))).or_insert(name);
                }
            }
        }
        uses
    }

    /// A path seen from the crate; none if it leads into another crate.
    fn absolute(&self, own: &Segments, module: &Module, path: &[String]) -> Option<Segments> {
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" | "rfmill" => Vec::new(),
            "self" => own.clone(),
            "super" => own.split_last()?.1.to_vec(),
            name => {
                let child: Segments = own.iter().cloned().chain([name.to_owned()]).collect();
                if self.modules.contains_key(&child) {
                    child
                } else {
                    let imported = module.imports.get(name).filter(|imported| *imported != path)?;
                    self.absolute(own, module, imported)?
                }
            }
        };
        for segment in rest {
            if segment == "super" { base.pop().map(drop)? } else { base.push(segment.clone()) }
        }
        Some(base)
    }

    /// The module that defines what a path names, and the name; none for a module itself.
    fn definition(&self, path: &[String], depth: usize) -> Option<(Segments, String)> {
        let mut length = path.len();
        while length > 0 && !self.modules.contains_key(&path[..length]) {
            length -= 1;
        }
        let (own, rest) = path.split_at(length);
        let (name, module) = (rest.first()?, self.modules.get(own)?);
        if !module.items.contains(name) && depth < 8 {
            let imported = module.imports.get(name).and_then(|path| self.absolute(&own.to_vec(), module, path));
            if let Some(found) = imported.and_then(|path| self.definition(&path, depth + 1)) {
                return Some(found);
            }
            for glob in &module.globs {
                let inside = self.absolute(&own.to_vec(), module, glob).and_then(|base| self.modules.get_key_value(&base));
                if let Some((base, _)) = inside.filter(|(_, other)| other.items.contains(name)) {
                    return Some((base.clone(), name.clone()));
                }
            }
        }
        (!own.is_empty()).then(|| (own.to_vec(), name.clone()))
    }

    /// The circles: groups of files each of which uses every other, be it through others.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let uses = self.uses();
        let mut reach: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (user, used) in uses.keys() {
            reach.entry(user).or_default().insert(used);
        }
        let direct = reach.clone();
        for reached in reach.values_mut() {
            let mut open: Vec<&str> = reached.iter().copied().collect();
            while let Some(file) = open.pop() {
                open.extend(direct.get(file).into_iter().flatten().copied().filter(|next| reached.insert(next)));
            }
        }
        let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
        for (file, reached) in reach.iter().filter(|(file, reached)| reached.contains(**file)) {
            let back = |other: &&&str| reach.get(**other).is_some_and(|r| r.contains(file));
            circles.insert(reached.iter().filter(back).map(|f| (*f).to_owned()).collect());
        }
        circles.into_iter().collect()
    }
}

impl Module {
    fn add(&mut self, item: &Item) {
        let (attributes, name) = match item {
            Item::Use(item) if !is_test(&item.attrs) => {
                let before: BTreeSet<String> = self.imports.keys().cloned().collect();
                self.import(&item.tree, &mut Vec::new());
                if !matches!(item.vis, Visibility::Inherited) {
                    self.reexports.extend(self.imports.keys().filter(|name| !before.contains(*name)).cloned());
                }
                return;
            }
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Union(item) => (&item.attrs, Some(&item.ident)),
            Item::Impl(item) => (&item.attrs, None),
            _ => return,
        };
        if !is_test(attributes) {
            self.items.extend(name.map(ToString::to_string));
            self.collect(item.to_token_stream());
        }
    }

    fn import(&mut self, tree: &UseTree, path: &mut Segments) {
        match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                self.import(&tree.tree, path);
                path.pop();
            }
            UseTree::Name(tree) if tree.ident == "self" => {
                self.imports.extend(path.last().map(|name| (name.clone(), path.clone())));
            }
            UseTree::Name(tree) => {
                let name = tree.ident.to_string();
                self.imports.insert(name.clone(), path.iter().cloned().chain([name]).collect());
            }
            UseTree::Rename(tree) => {
                self.imports.insert(tree.rename.to_string(), path.iter().cloned().chain([tree.ident.to_string()]).collect());
            }
            UseTree::Glob(_) => self.globs.push(path.clone()),
            UseTree::Group(tree) => tree.items.iter().for_each(|tree| self.import(tree, path)),
        }
    }

    /// Collects the paths among tokens, also those inside macros.
    fn collect(&mut self, tokens: TokenStream) {
        let (mut path, mut colons) = (Vec::new(), 0);
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => colons += 1,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end_path(&mut path);
                    }
                    path.push(ident.to_string());
                    self.idents.insert(ident.to_string());
                    colons = 0;
                }
                other => {
                    self.end_path(&mut path);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.collect(group.stream());
                    }
                }
            }
        }
        self.end_path(&mut path);
    }

    fn end_path(&mut self, path: &mut Segments) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.paths.insert(path);
        }
    }
}

/// Measures the functions of a file.
struct Lengths<'a> {
    file: &'a str,
    functions: &'a mut Vec<Function>,
}

impl Lengths<'_> {
    fn add(&mut self, name: &syn::Ident, spanned: &impl Spanned) {
        let span = spanned.span();
        let lines = span.end().line + 1 - span.start().line;
        self.functions.push(Function { name: format!("{}, {name}", self.file), lines });
    }
}

impl<'ast> Visit<'ast> for Lengths<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.add(&item.sig.ident, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.add(&item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|a| a.path().is_ident("cfg") && a.to_token_stream().to_string().contains("test"))
}

/// The module of a file below `src`.
fn module_path(file: &str) -> Segments {
    let name = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if name == "lib" { Vec::new() } else { name.split('/').map(str::to_owned).collect() }
}
