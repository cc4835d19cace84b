//! The head of the page and the answers that come first.

use super::tasks;
use crate::report::markup::Markup;
use crate::report::story::Story;
use crate::report::view::View;

/// Title of the window.
pub(super) fn title(view: &View) -> String {
    let period = view.last().map(|d| view.period(d)).unwrap_or_default();
    view.words.fill("title", &[("job", &view.data.run.job_name), ("period", &period)])
}

/// Name of the job and what it is about.
pub(super) fn header(view: &View) -> Markup {
    let mut out = Markup::new();
    out.raw("<header>\n").element("h1", &title(view)).raw("\n<p>");
    if let Some(last) = view.last() {
        out.sentence(&view.words.say("as_of", &[("date", &view.format.date(last))]));
        if let Some(before) = view.before(last) {
            let before = view.format.date(before);
            out.text(" ").sentence(&match view.trend_begins() {
                Some(first) => view.words.say("compared_in_trend", &[("before", &before), ("first", &view.format.date(first))]),
                None => view.words.say("compared", &[("before", &before), ("n", &view.dates.len().to_string())]),
            });
        }
    }
    if view.data.settings.currency_label.trim().is_empty() {
        out.text(" ").text(view.words.text("money_unit"));
    }
    out.raw("</p>\n</header>\n");
    out
}

/// The run, small.
pub(super) fn footer(view: &View) -> Markup {
    let run = &view.data.run;
    let mut out = Markup::new();
    let inputs = view.words.text(if run.inputs_verified { "inputs.verified" } else { "inputs.unverified" });
    let values = [("run", &*run.run_id), ("version", &*run.rfmill), ("inputs", inputs)];
    out.raw("<footer><p>").text(&view.words.fill("footer", &values)).raw("</p></footer>\n");
    out
}

/// Numbers and answers.
pub(super) fn short(view: &View, story: &Story) -> Markup {
    let mut out = Markup::new();
    out.raw("<section id=\"short\">\n<h2 class=\"unseen\">").text(view.words.text("section.short")).raw("</h2>\n");
    if let Some(slice) = sliced(view) {
        out.append(&slice);
    }
    if !story.tiles.is_empty() {
        out.raw("<div class=\"tiles\">\n");
        for tile in &story.tiles {
            out.begin("a").attr("class", "tile").attr("href", &format!("#{}", tile.section)).end();
            out.element("span", &tile.label).element("strong", &tile.value).element("em", &tile.note).raw("</a>\n");
        }
        out.raw("</div>\n");
    }
    out.append(&tasks::write(view, story)).raw("<div class=\"answers\">\n");
    for answer in &story.answers {
        out.begin("article").attr("id", &format!("answer-{}", answer.key)).end();
        out.raw("<h3>").text(&answer.question).text(" ").begin("a").attr("class", "more");
        out.attr("href", &format!("#{}", answer.section)).end().text(view.words.text("details")).raw("</a></h3>\n");
        for paragraph in &answer.paragraphs {
            out.paragraph(paragraph, view.words.text("format.sentence_space"));
        }
        out.raw("</article>\n");
    }
    out.raw("</div>\n</section>\n");
    out
}

/// In a job with slices, which one the page shows.
fn sliced(view: &View) -> Option<Markup> {
    if view.slices.len() < 2 {
        return None;
    }
    let mut out = Markup::new();
    let count = view.slices.len().to_string();
    out.raw("<p class=\"note\">").sentence(&view.words.say("sliced", &[("slice", &view.slice), ("n", &count)])).raw("</p>\n");
    Some(out)
}
