//! The views of rfmill in a database. A load replaces those that are its own and that nobody edited, and keeps all others.
//!
//! The table `rfmill_load_views` records of every view what it was made of, and what the server said that it is right after.
//! While the server says the same, nobody edited it. Where it says something else, or nothing is recorded, the view is ours if
//! one of the texts that we know makes the same: 0.1.0 recorded nothing, and another version of the server may put a view in
//! other words. Comments do not decide: they are the user's to write.

use std::collections::{BTreeMap, BTreeSet};

use postgres::error::SqlState;
use postgres::{Client, Transaction};

use super::database::{Database, cause};
use super::structure::{Changes, STAGING, Structure};
use crate::error::Result;
use crate::tables::{View, doc_of, identifier, literal, views};

/// The table that says how views were made.
const MADE: &str = "rfmill_load_views";

/// What the server answers.
type Answer<T> = std::result::Result<T, postgres::Error>;

/// A view that a load left as it is, or could not make, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptView {
    /// Its name.
    pub name: String,
    /// A sentence with what to do.
    pub why: String,
}

/// What is to be done with the views.
#[derive(Debug, Default)]
pub struct Plan {
    /// Those that are missing, and those that are ours and unedited, each after those that it reads.
    ours: Vec<Ours>,
    /// Those that are left alone.
    pub kept: Vec<KeptView>,
}

impl Plan {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.ours.iter().all(|own| !own.is_due())
    }
}

#[derive(Debug)]
struct Ours {
    view: &'static View,
    /// A hash of what it is to be made of.
    wanted: String,
    /// As it is there.
    there: Option<Unedited>,
}

impl Ours {
    fn is_due(&self) -> bool {
        self.there.as_ref().is_none_or(|there| !there.is_recorded || there.made_of != self.wanted)
    }
}

/// A view of ours that nobody edited.
#[derive(Debug)]
struct Unedited {
    definition: String,
    /// A hash of what it was made of.
    made_of: String,
    /// Whether the user wrote or removed its comment.
    has_own_comment: bool,
    is_recorded: bool,
}

/// A view as the server shows it.
struct Shown {
    /// Its query, options, triggers and rules; `None` if it is no view.
    definition: Option<String>,
    comment: Option<String>,
}

/// What was recorded of a view: hashes of what it was made of and of its definition, and its comment.
type Records = BTreeMap<String, (String, String, String)>;

/// Chooses the schema for this transaction, and one way of putting views in words.
///
/// # Errors
/// Those of the server.
pub fn settle(transaction: &mut Transaction<'_>, database: &Database) -> Answer<()> {
    transaction.batch_execute(&format!(
        "SET LOCAL search_path TO {}; SET LOCAL quote_all_identifiers = off; SET LOCAL IntervalStyle = 'postgres'",
        identifier(&database.target.schema)
    ))
}

fn hash(text: &str) -> String {
    crate::hash::sha256(text.as_bytes())
}

/// A hash of a text of a view and of the columns of its tables, since `*` stands for all of them.
fn made_of(sql: &str, view: &View, structure: &Structure, changes: &Changes<'_>) -> String {
    let columns: Vec<String> =
        view.tables().map(|table| structure.columns_after(table, changes).unwrap_or_default().join(",")).collect();
    hash(&format!("{sql}\n{}", columns.join("\n")))
}

/// Looks at the views and says what is to be done, changing nothing.
///
/// # Errors
/// Exit 6 if the server does not answer.
pub fn plan(client: &mut Client, database: &Database, structure: &Structure, changes: &Changes<'_>) -> Result<Plan> {
    let look = |client: &mut Client| -> Answer<Plan> {
        let mut transaction = client.transaction()?;
        settle(&mut transaction, database)?;
        let records = if structure.has(MADE) { records(&mut transaction)? } else { Records::new() };
        let mut plan = Plan::default();
        for view in views(|table| structure.columns_after(table, changes).is_some()) {
            let wanted = made_of(view.sql, view, structure, changes);
            let Some(shown) = show(&mut transaction, view.name)? else {
                plan.ours.push(Ours { view, wanted, there: None });
                continue;
            };
            let record = records.get(view.name);
            match unedited(&mut transaction, view, &shown, record, structure)? {
                Some(there) => plan.ours.push(Ours { view, wanted, there: Some(there) }),
                None => plan.kept.push(kept(database, view, &shown, record.is_some())),
            }
        }
        Ok(plan)
    };
    look(client).map_err(|e| database.failed("look at the views", e))
}

fn records(transaction: &mut Transaction<'_>) -> Answer<Records> {
    let rows = transaction.query(&format!("SELECT view_name, made_of, definition, comment FROM {MADE}"), &[])?;
    rows.iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?)))).collect()
}

fn show(transaction: &mut Transaction<'_>, name: &str) -> Answer<Option<Shown>> {
    let row = transaction.query_opt(
        "SELECT CASE WHEN c.relkind = 'v' THEN concat_ws(E'\\n',
             pg_get_viewdef(c.oid),
             array_to_string(c.reloptions, ','),
             (SELECT string_agg(tgname::text, ',' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = c.oid),
             (SELECT string_agg(rulename::text, ',' ORDER BY rulename)
              FROM pg_rewrite WHERE ev_class = c.oid AND rulename <> '_RETURN')
         ) END, obj_description(c.oid, 'pg_class')
         FROM pg_class AS c
         JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = current_schema() AND c.relname = $1::text",
        &[&name],
    )?;
    row.map(|row| Ok(Shown { definition: row.try_get(0)?, comment: row.try_get(1)? })).transpose()
}

/// The view, if it is ours and nobody edited it.
fn unedited(
    transaction: &mut Transaction<'_>,
    view: &View,
    shown: &Shown,
    record: Option<&(String, String, String)>,
    structure: &Structure,
) -> Answer<Option<Unedited>> {
    let Some(definition) = shown.definition.clone() else { return Ok(None) };
    if let Some((made_of, _, comment)) = record.filter(|(_, recorded, _)| *recorded == hash(&definition)) {
        let has_own_comment = shown.comment.as_ref() != Some(comment);
        return Ok(Some(Unedited { definition, made_of: made_of.clone(), has_own_comment, is_recorded: true }));
    }
    for sql in [view.sql].iter().chain(view.earlier) {
        if tried(transaction, view.query(sql))?.as_ref() == Some(&definition) {
            let has_own_comment = shown.comment.as_deref() != Some(doc_of(sql));
            let made_of = made_of(sql, view, structure, &Changes::default());
            return Ok(Some(Unedited { definition, made_of, has_own_comment, is_recorded: false }));
        }
    }
    Ok(None)
}

/// How the server shows a view of this query; `None` if it cannot be made. It is made and taken back.
fn tried(transaction: &mut Transaction<'_>, query: &str) -> Answer<Option<String>> {
    let name = format!("{STAGING}view");
    let mut inner = transaction.transaction()?;
    match inner.batch_execute(&format!("CREATE VIEW {name} AS\n{query}")) {
        Ok(()) => Ok(show(&mut inner, &name)?.and_then(|shown| shown.definition)),
        Err(e) if is_about_a_view(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Whether a statement failed for what it says or may do, not for the server or the connection.
fn is_about_a_view(error: &postgres::Error) -> bool {
    let code = error.code();
    code == Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) || code.is_some_and(|code| code.code().starts_with("42"))
}

fn kept(database: &Database, view: &View, shown: &Shown, is_recorded: bool) -> KeptView {
    let name = view.name;
    let path = format!("{}.{name}", identifier(&database.target.schema));
    let why = match (&shown.definition, is_recorded) {
        (None, _) => format!("{name} is no view, so it is kept; to have the view of rfmill, rename or drop it and load again"),
        (Some(_), true) => {
            format!(
                "the view {name} was edited, so it is kept; to have that of rfmill, rename it or DROP VIEW {path}, and load again"
            )
        }
        (Some(_), false) => format!(
            "the view {name} is not as rfmill makes it, so it is kept; to have that of rfmill, rename it or DROP VIEW {path}, and load again"
        ),
    };
    KeptView { name: name.to_owned(), why }
}

/// Makes and replaces views; returns how many, and those that had to be left as they are.
///
/// # Errors
/// Those of the server that are not about a view.
pub fn make(transaction: &mut Transaction<'_>, database: &Database, plan: &Plan) -> Answer<(usize, Vec<KeptView>)> {
    let (mut made, mut left) = (BTreeSet::new(), Vec::new());
    if !plan.is_empty() {
        create_records(transaction)?;
    }
    for own in plan.ours.iter().filter(|own| own.is_due()) {
        let name = own.view.name;
        // Made anew together with one that it reads.
        if made.contains(name) {
            continue;
        }
        if let Some(there) = &own.there {
            let shown = show(transaction, name)?;
            if let Some(shown) = shown.filter(|shown| shown.definition.as_ref() != Some(&there.definition)) {
                left.push(kept(database, own.view, &shown, true));
                continue;
            }
            if there.made_of == own.wanted {
                record(transaction, own)?;
                continue;
            }
        }
        let mut all = vec![own];
        let mut done = whole(transaction, |inner| replace(inner, own));
        // Columns that go or change their type.
        if let Err(e) = &done
            && e.code() == Some(&SqlState::INVALID_TABLE_DEFINITION)
        {
            all = with_readers(plan, own);
            done = whole(transaction, |inner| make_anew(inner, &all));
        }
        match done {
            Ok(()) => made.extend(all.iter().map(|own| own.view.name)),
            Err(e) if is_about_a_view(&e) => left.push(refused(own, &e)),
            Err(e) => return Err(e),
        }
    }
    Ok((made.len(), left))
}

/// Does something whole or not at all.
fn whole(transaction: &mut Transaction<'_>, work: impl FnOnce(&mut Transaction<'_>) -> Answer<()>) -> Answer<()> {
    let mut inner = transaction.transaction()?;
    work(&mut inner)?;
    inner.commit()
}

fn refused(own: &Ours, error: &postgres::Error) -> KeptView {
    let name = own.view.name;
    let on_it = error.as_db_error().filter(|e| *e.code() == SqlState::DEPENDENT_OBJECTS_STILL_EXIST).and_then(|e| e.detail());
    let why = match (on_it, &own.there) {
        (Some(on_it), _) => format!(
            "the view {name} is of an earlier version and kept, since it would have to be dropped first: {}; drop what depends on it, load again, and make that anew",
            on_it.replace('\n', ", ")
        ),
        (None, Some(_)) => {
            format!("the view {name} is of an earlier version and kept, since it cannot be replaced: {}", cause(error))
        }
        (None, None) => format!("the view {name} cannot be made: {}", cause(error)),
    };
    KeptView { name: name.to_owned(), why }
}

fn create_records(transaction: &mut Transaction<'_>) -> Answer<()> {
    transaction.batch_execute(&format!(
        "CREATE TABLE IF NOT EXISTS {MADE} (
             view_name TEXT PRIMARY KEY,
             made_of TEXT NOT NULL,
             definition TEXT NOT NULL,
             comment TEXT NOT NULL,
             made_at TIMESTAMPTZ NOT NULL DEFAULT now()
         );
         COMMENT ON TABLE {MADE} IS 'One row per view that rfmill made: hashes by which it knows whether somebody edited the view since. Edited views are kept as they are.';"
    ))
}

/// Records a view as it is now.
fn record(transaction: &mut Transaction<'_>, own: &Ours) -> Answer<()> {
    let name = own.view.name;
    let definition = show(transaction, name)?.and_then(|shown| shown.definition).unwrap_or_default();
    transaction.execute(
        &format!(
            "INSERT INTO {MADE} (view_name, made_of, definition, comment) VALUES ($1, $2, $3, $4)
             ON CONFLICT (view_name) DO UPDATE
             SET made_of = excluded.made_of, definition = excluded.definition, comment = excluded.comment, made_at = now()"
        ),
        &[&name, &own.wanted, &hash(&definition), &own.view.doc()],
    )?;
    Ok(())
}

/// Makes a view, or replaces it where it stands: rights, comments of columns and what depends on it stay.
fn replace(transaction: &mut Transaction<'_>, own: &Ours) -> Answer<()> {
    transaction.batch_execute(own.view.sql)?;
    if own.there.as_ref().is_none_or(|there| !there.has_own_comment) {
        comment(transaction, own.view.name, Some(own.view.doc()))?;
    }
    record(transaction, own)
}

fn comment(transaction: &mut Transaction<'_>, name: &str, text: Option<&str>) -> Answer<()> {
    transaction.batch_execute(&format!("COMMENT ON VIEW {name} IS {}", text.map_or("NULL".to_owned(), literal)))
}

/// A view and those of ours that read it, each after those that it reads.
fn with_readers<'a>(plan: &'a Plan, own: &'a Ours) -> Vec<&'a Ours> {
    let mut names = BTreeSet::from([own.view.name]);
    let mut all = vec![own];
    for other in plan.ours.iter().filter(|other| other.there.is_some()) {
        if names.iter().any(|name| other.view.reads(name)) && names.insert(other.view.name) {
            all.push(other);
        }
    }
    all
}

/// Drops views and makes them again, with the rights and comments that they had.
fn make_anew(transaction: &mut Transaction<'_>, all: &[&Ours]) -> Answer<()> {
    let mut had = Vec::new();
    for own in all {
        let shown = show(transaction, own.view.name)?;
        had.push((rights_and_comments(transaction, own.view.name)?, shown.and_then(|shown| shown.comment)));
    }
    for own in all.iter().rev() {
        transaction.batch_execute(&format!("DROP VIEW {}", own.view.name))?;
    }
    for (own, (statements, text)) in all.iter().zip(had) {
        let name = own.view.name;
        transaction.batch_execute(own.view.sql)?;
        let has_own_comment = own.there.as_ref().is_some_and(|there| there.has_own_comment);
        comment(transaction, name, if has_own_comment { text.as_deref() } else { Some(own.view.doc()) })?;
        // Without what default privileges give to new views.
        let revoke = transaction.query(
            "SELECT DISTINCT format('REVOKE ALL ON %I FROM %s', c.relname,
                 CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
             FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
             WHERE c.oid = $1::text::regclass AND a.grantee <> c.relowner",
            &[&name],
        )?;
        let revoke = revoke.iter().map(|row| row.try_get(0)).collect::<Answer<Vec<String>>>()?;
        for statement in revoke {
            transaction.batch_execute(&statement)?;
        }
        let columns = transaction.query(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped",
            &[&name],
        )?;
        let columns = columns.iter().map(|row| row.try_get(0)).collect::<Answer<BTreeSet<String>>>()?;
        for (column, statement) in statements {
            if column.is_none_or(|column| columns.contains(&column)) {
                transaction.batch_execute(&statement)?;
            }
        }
        record(transaction, own)?;
    }
    Ok(())
}

/// Statements that give a view its rights and its columns their comments again, each with the column that it is about.
fn rights_and_comments(transaction: &mut Transaction<'_>, name: &str) -> Answer<Vec<(Option<String>, String)>> {
    let rows = transaction.query(
        "SELECT t.attname::text, format('GRANT %s%s ON %I TO %s%s',
             a.privilege_type,
             CASE WHEN t.attname IS NULL THEN '' ELSE format(' (%I)', t.attname) END,
             c.relname,
             CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
             CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
         FROM pg_class AS c
         CROSS JOIN LATERAL (
             SELECT NULL::name AS attname, c.relacl AS acl
             UNION ALL
             SELECT attname, attacl FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
         ) AS t
         CROSS JOIN LATERAL aclexplode(t.acl) AS a
         WHERE c.oid = $1::text::regclass AND a.grantee <> c.relowner
         UNION ALL
         SELECT t.attname::text, format('COMMENT ON COLUMN %I.%I IS %L', c.relname, t.attname, d.description)
         FROM pg_class AS c
         JOIN pg_description AS d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid > 0
         JOIN pg_attribute AS t ON t.attrelid = c.oid AND t.attnum = d.objsubid
         WHERE c.oid = $1::text::regclass",
        &[&name],
    )?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
