//! `workbook.xlsx`: the answers, every table as native numbers and dates with a filter, what its columns mean, and the method.

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Table, TableColumn, TableStyle, Workbook, Worksheet, XlsxError,
};

use super::data::{Shown, TableVisitor};
use super::escape;
use super::heading::{headings, suppressed, title};
use super::language::Words;
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
    let suppressed = view.data.settings.hides();
    let mut sheets = Sheets { book, words: &view.words, suppressed, meanings: Vec::new(), error: None };
    view.data.visit(&mut sheets);
    if let Some(error) = sheets.error {
        return Err(error);
    }
    let Sheets { mut book, meanings, .. } = sheets;
    columns(view, &meanings, book.add_worksheet())?;
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

/// What the columns of the sheets mean.
fn columns(view: &View, meanings: &[[String; 4]], sheet: &mut Worksheet) -> std::result::Result<(), XlsxError> {
    let words = &view.words;
    sheet.set_name(sheet_name(words.text("workbook.columns")))?;
    let heads = ["workbook.sheet", "workbook.column", "workbook.name", "column.meaning"].map(|key| words.text(key).to_owned());
    let mut widths = Widths::of(&heads);
    for (line, row) in (1u32..).zip(meanings) {
        for (place, text) in (0u16..).zip(row) {
            sheet.write_string(line, place, escape::spreadsheet(text))?;
            widths.fit(place, text_width(text));
        }
    }
    finish(sheet, "columns", &heads, meanings.len(), &widths)
}

/// Makes a filtered table of the rows of a sheet, under a head that stays, with columns that show what is in them.
fn finish(
    sheet: &mut Worksheet,
    name: &str,
    heads: &[String],
    rows: usize,
    widths: &Widths,
) -> std::result::Result<(), XlsxError> {
    sheet.set_freeze_panes(1, 0)?;
    let last_column = u16::try_from(heads.len().saturating_sub(1)).unwrap_or(u16::MAX);
    match u32::try_from(rows.min(MOST_ROWS)).unwrap_or(u32::MAX) {
        // Excel has no table without rows.
        0 => {
            for (place, column) in (0u16..).zip(heads) {
                sheet.write_string_with_format(0, place, column, &head())?;
            }
        }
        last_row => {
            let columns: Vec<TableColumn> =
                heads.iter().map(|text| TableColumn::new().set_header(text).set_header_format(head())).collect();
            let table = Table::new().set_name(format!("rfmill_{name}")).set_style(TableStyle::Light1).set_columns(&columns);
            sheet.add_table(0, 0, last_row, last_column, &table)?;
        }
    }
    for (place, width) in (0u16..).zip(&widths.0) {
        sheet.set_column_width(place, *width as f64)?;
    }
    Ok(())
}

/// Widths of columns in characters.
struct Widths(Vec<usize>);

impl Widths {
    /// Wider columns are read in the cell's own line.
    const MOST: usize = 60;

    /// Of columns with these heads, each with room for the button of the filter.
    fn of(heads: &[String]) -> Widths {
        Widths(heads.iter().map(|text| (text_width(text) + 5).clamp(9, Widths::MOST)).collect())
    }

    /// Gives a column room for something as wide as this.
    fn fit(&mut self, place: u16, width: usize) {
        if let Some(known) = self.0.get_mut(usize::from(place)) {
            *known = (*known).max((width + 2).min(Widths::MOST));
        }
    }
}

/// How wide text is; Chinese characters are twice as wide as others.
fn text_width(text: &str) -> usize {
    text.chars().map(|letter| if u32::from(letter) >= 0x2E80 { 2 } else { 1 }).sum()
}

/// How wide a number is with the commas between thousands, the digits after the point and the % of its format.
fn number_width(number: f64, format: &str) -> usize {
    let is_percent = format.ends_with('%');
    let shown = if is_percent { number * 100.0 } else { number };
    let decimals = format.trim_end_matches('%').split('.').nth(1).map_or(0, str::len);
    let digits = format!("{shown:.decimals$}").len();
    let separators = if format.contains(',') { (shown.abs().max(1.0).log10() / 3.0) as usize } else { 0 };
    digits + separators + usize::from(is_percent)
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
    lines.extend(run.warnings.iter().map(|w| words.fill("workbook.warning", &[("text", &words.warning(w))])));
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
struct Sheets<'a> {
    book: Workbook,
    words: &'a Words,
    suppressed: bool,
    /// Sheet, head, column and meaning of every column.
    meanings: Vec<[String; 4]>,
    error: Option<XlsxError>,
}

/// Formats of whole numbers and of money.
const COUNT: &str = "#,##0";
const MONEY: &str = "#,##0.00";

impl Sheets<'_> {
    fn sheet<R: Row>(&mut self, name: &str, rows: &[Shown<R>]) -> std::result::Result<(), XlsxError> {
        let sheet = self.book.add_worksheet();
        let title = sheet_name(&title(self.words, name));
        sheet.set_name(&title)?;
        let mut heads = headings::<R>(self.words);
        for (column, head) in R::COLUMNS.iter().zip(&heads) {
            let doc = column.doc.trim().to_owned();
            self.meanings.push([title.clone(), head.clone(), column.name.to_owned(), doc]);
        }
        if self.suppressed {
            heads.push(suppressed(self.words));
        }
        let format = |format: &str| Format::new().set_num_format(format);
        let (date, count, money) = (format("yyyy-mm-dd"), format(COUNT), format(MONEY));
        let doubles: Vec<Format> = R::COLUMNS.iter().map(|column| format(double_format(column.name))).collect();
        let mut widths = Widths::of(&heads);
        for (line, row) in (1u32..).zip(rows.iter().take(MOST_ROWS)) {
            for ((place, column), double) in (0u16..).zip(R::COLUMNS).zip(&doubles) {
                let width = match (column.cell)(row) {
                    Value::Null => 0,
                    Value::Text(text) => {
                        sheet.write_string(line, place, escape::spreadsheet(&text))?;
                        text_width(&text)
                    }
                    Value::Int(n) if n.unsigned_abs() > EXACT => {
                        sheet.write_string(line, place, n.to_string())?;
                        n.to_string().len()
                    }
                    Value::Int(n) => {
                        sheet.write_number_with_format(line, place, n as f64, &count)?;
                        number_width(n as f64, COUNT)
                    }
                    Value::Double(x) => {
                        sheet.write_number_with_format(line, place, x, double)?;
                        number_width(x, double_format(column.name))
                    }
                    Value::Money(m) => {
                        sheet.write_number_with_format(line, place, m.to_f64(), &money)?;
                        number_width(m.to_f64(), MONEY)
                    }
                    Value::Bool(b) => {
                        sheet.write_boolean(line, place, b)?;
                        5
                    }
                    Value::Date(day) => {
                        match excel_date(day) {
                            Some(when) => sheet.write_datetime_with_format(line, place, &when, &date)?,
                            None => sheet.write_string(line, place, day.to_string())?,
                        };
                        10
                    }
                };
                widths.fit(place, width);
            }
            if self.suppressed && row.suppressed {
                sheet.write_boolean(line, u16::try_from(R::COLUMNS.len()).unwrap_or(u16::MAX), true)?;
            }
        }
        finish(sheet, name, &heads, rows.len(), &widths)
    }
}

impl TableVisitor for Sheets<'_> {
    fn table<R: Row>(&mut self, name: &'static str, rows: Option<&[Shown<R>]>) {
        if let Some(rows) = rows
            && self.error.is_none()
        {
            self.error = self.sheet(name, rows).err();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_room_for_what_excel_shows() {
        for (number, format, shown) in [
            (0.0, COUNT, "0"),
            (999.0, COUNT, "999"),
            (1_000.0, COUNT, "1,000"),
            (-1_234_567.0, COUNT, "-1,234,567"),
            (72_184_000.5, MONEY, "72,184,000.50"),
            (0.1234, "0.0%", "12.3%"),
            (0.05, "0.0000", "0.0500"),
        ] {
            assert_eq!(number_width(number, format), shown.len(), "{shown}");
        }
        assert_eq!((text_width("At Risk"), text_width("冠军客户")), (7, 8));
        let mut widths = Widths::of(&["State".to_owned()]);
        widths.fit(0, 500);
        assert_eq!(widths.0, [Widths::MOST]);
    }
}
