//! `workbook.xlsx`: the answers, every table as native numbers and dates, and the method.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::data::{Shown, TableVisitor};
use super::escape;
use super::page;
use super::story::Story;
use super::view::View;
use crate::domain::Day;
use crate::error::{Error, Result};
use crate::tables::{Row, Value};

/// Excel has 1,048,576 rows; the head takes one.
const MOST_ROWS: usize = 1_048_575;

/// Whole numbers beyond this lose digits in Excel and are written as text.
const EXACT: u64 = 1 << 53;

/// The file.
pub(super) fn write(view: &View, story: &Story) -> Result<Vec<u8>> {
    build(view, story).map_err(|e| Error::bug(format!("workbook.xlsx cannot be written: {e}")).caused_by(e))
}

fn build(view: &View, story: &Story) -> std::result::Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // The bytes must not depend on the clock.
    let created = view.last().and_then(excel_date).map_or_else(|| ExcelDateTime::from_ymd(2000, 1, 1), Ok)?;
    let title = escape::spreadsheet(&view.data.run.job_name);
    book.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&created));
    answers(view, story, book.add_worksheet())?;
    let mut sheets = Sheets { book, suppressed: view.data.settings.min_group > 1, error: None };
    view.data.visit(&mut sheets);
    if let Some(error) = sheets.error {
        return Err(error);
    }
    let mut book = sheets.book;
    method(view, book.add_worksheet())?;
    book.save_to_buffer()
}

fn head() -> Format {
    Format::new().set_bold().set_background_color("#E8ECF2")
}

fn wrapped() -> Format {
    Format::new().set_text_wrap().set_align(FormatAlign::Top)
}

/// Questions and answers.
fn answers(view: &View, story: &Story, sheet: &mut Worksheet) -> std::result::Result<(), XlsxError> {
    let words = &view.words;
    sheet.set_name(sheet_name(words.text("section.short")))?;
    sheet.set_column_width(0, 46)?.set_column_width(1, 120)?;
    sheet.write_string_with_format(0, 0, words.text("workbook.question"), &head())?;
    sheet.write_string_with_format(0, 1, words.text("workbook.answer"), &head())?;
    sheet.set_freeze_panes(1, 0)?;
    let mut row = 1;
    for answer in &story.answers {
        sheet.write_string_with_format(row, 0, escape::spreadsheet(&answer.question), &wrapped())?;
        for paragraph in &answer.paragraphs {
            let text: Vec<String> = paragraph.iter().map(|s| s.text()).collect();
            let text = text.join(words.text("format.sentence_space"));
            sheet.write_string_with_format(row, 1, escape::spreadsheet(&text), &wrapped())?;
            row += 1;
        }
    }
    for tile in &story.tiles {
        sheet.write_string_with_format(row, 0, escape::spreadsheet(&tile.label), &wrapped())?;
        let text = if tile.note.is_empty() { tile.value.clone() } else { format!("{} ({})", tile.value, tile.note) };
        sheet.write_string_with_format(row, 1, escape::spreadsheet(&text), &wrapped())?;
        row += 1;
    }
    Ok(())
}

/// How the numbers came about, and what the run was.
fn method(view: &View, sheet: &mut Worksheet) -> std::result::Result<(), XlsxError> {
    let (words, run) = (&view.words, &view.data.run);
    sheet.set_name(sheet_name(words.text("section.method")))?;
    sheet.set_column_width(0, 140)?;
    sheet.write_string_with_format(0, 0, words.text("section.method"), &head())?;
    sheet.set_freeze_panes(1, 0)?;
    let mut lines = page::method_sentences(view);
    lines.push(words.text("workbook.money").to_owned());
    lines.extend(run.warnings.iter().map(|w| words.fill("workbook.warning", &[("text", w)])));
    lines.push(words.fill("workbook.run", &[("job", &run.job_name), ("run", &run.run_id), ("version", &run.rfmill)]));
    for (row, line) in (1u32..).zip(&lines) {
        sheet.write_string_with_format(row, 0, escape::spreadsheet(line), &wrapped())?;
    }
    Ok(())
}

/// A name that Excel takes for a sheet.
fn sheet_name(text: &str) -> String {
    let allowed = text.chars().filter(|c| !matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\''));
    let name: String = allowed.take(31).collect();
    if name.is_empty() { "sheet".into() } else { name }
}

fn excel_date(day: Day) -> Option<ExcelDateTime> {
    let date = day.to_date();
    let (year, month, day) = (u16::try_from(date.year()).ok()?, u8::try_from(date.month()).ok()?, u8::try_from(date.day()).ok()?);
    ExcelDateTime::from_ymd(year, month, day).ok().filter(|_| year >= 1900)
}

/// How a column of doubles is shown.
fn double_format(column: &str) -> &'static str {
    let percent = ["share", "rate", "lift", "roi"];
    let is_percent = percent.iter().any(|p| column.split('_').any(|part| part == *p));
    match column {
        "p_value" | "p_adjusted" | "srm_p" | "q_difference_p" | "q_lift_p" | "gini" => "0.0000",
        _ if is_percent => "0.0%",
        _ => "#,##0.00",
    }
}

/// Writes a sheet per table.
struct Sheets {
    book: Workbook,
    suppressed: bool,
    error: Option<XlsxError>,
}

impl Sheets {
    fn sheet<R: Row>(&mut self, name: &str, rows: &[Shown<R>]) -> std::result::Result<(), XlsxError> {
        let sheet = self.book.add_worksheet();
        sheet.set_name(name)?;
        let mut columns: Vec<&str> = R::COLUMNS.iter().map(|column| column.name).collect();
        if self.suppressed {
            columns.push("suppressed");
        }
        let date = Format::new().set_num_format("yyyy-mm-dd");
        let count = Format::new().set_num_format("#,##0");
        let money = Format::new().set_num_format("#,##0.00");
        let doubles: Vec<Format> = columns.iter().map(|c| Format::new().set_num_format(double_format(c))).collect();
        for (place, column) in (0u16..).zip(&columns) {
            sheet.write_string_with_format(0, place, *column, &head())?;
            let width = if matches!(*column, "definition" | "reason" | "not_estimable") { 60 } else { 9.max(column.len() + 3) };
            sheet.set_column_width(place, width as f64)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        for (line, row) in (1u32..).zip(rows.iter().take(MOST_ROWS)) {
            for ((place, column), double) in (0u16..).zip(R::COLUMNS).zip(&doubles) {
                match (column.cell)(row) {
                    Value::Null => {}
                    Value::Text(text) => drop(sheet.write_string(line, place, escape::spreadsheet(&text))?),
                    Value::Int(n) if n.unsigned_abs() > EXACT => drop(sheet.write_string(line, place, n.to_string())?),
                    Value::Int(n) => drop(sheet.write_number_with_format(line, place, n as f64, &count)?),
                    Value::Double(x) => drop(sheet.write_number_with_format(line, place, x, double)?),
                    Value::Money(m) => drop(sheet.write_number_with_format(line, place, m.to_f64(), &money)?),
                    Value::Bool(b) => drop(sheet.write_boolean(line, place, b)?),
                    Value::Date(day) => match excel_date(day) {
                        Some(when) => drop(sheet.write_datetime_with_format(line, place, &when, &date)?),
                        None => drop(sheet.write_string(line, place, day.to_string())?),
                    },
                }
            }
            if self.suppressed && row.suppressed {
                sheet.write_boolean(line, u16::try_from(R::COLUMNS.len()).unwrap_or(u16::MAX), true)?;
            }
        }
        Ok(())
    }
}

impl TableVisitor for Sheets {
    fn table<R: Row>(&mut self, name: &'static str, rows: Option<&[Shown<R>]>) {
        if let Some(rows) = rows
            && self.error.is_none()
        {
            self.error = self.sheet(name, rows).err();
        }
    }
}
