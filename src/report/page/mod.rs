//! The report as one HTML file that needs nothing else: no request, no font, no image; its one style sheet and its one script
//! are allowed by their hashes.

mod affinity;
mod cohorts;
mod explore;
mod figure;
mod forecast;
mod grid;
mod growth;
mod method;
mod missing;
mod movement;
mod quality;
mod segments;
mod spread;
mod strategies;
mod tasks;
mod top;
mod trends;
mod verdict;

use sha2::{Digest, Sha256};

use super::markup::Markup;
use super::story::Story;
use super::view::View;
use crate::error::{Error, Result};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = concat!(include_str!("sort.js"), include_str!("explore.js"), include_str!("tools.js"));

/// Anchors and titles of the sections, in order; a section is a message `section.<anchor>` and a function.
type Section = (&'static str, fn(&View) -> Markup);

const SECTIONS: [Section; 11] = [
    ("explore", explore::write),
    ("segments", segments::write),
    ("movement", movement::write),
    ("trends", trends::write),
    ("cohorts", cohorts::write),
    ("growth", growth::write),
    ("concentration", growth::concentration),
    ("forecast", forecast::write),
    ("strategies", strategies::write),
    ("quality", quality::write),
    ("method", method::write),
];

/// The page.
pub(super) fn write(view: &View, story: &Story) -> Result<Vec<u8>> {
    let mut out = Markup::new();
    let words = &view.words;
    out.raw("<!doctype html>\n").begin("html").attr("lang", view.data.settings.language.tag()).end();
    out.raw("\n<head>\n<meta charset=\"utf-8\">\n");
    out.begin("meta").attr("http-equiv", "Content-Security-Policy").attr("content", &policy()).end();
    out.raw("\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
    out.raw("<link rel=\"icon\" href=\"data:,\">\n");
    out.element("title", &top::title(view)).raw("\n<style>").raw(STYLE).raw("</style>\n</head>\n<body>\n");
    out.raw("<a class=\"skip\" href=\"#short\">").text(words.text("skip")).raw("</a>\n").append(&top::header(view));
    out.begin("nav").attr("aria-label", words.text("nav")).end();
    let sections: Vec<Section> =
        SECTIONS.into_iter().filter(|(anchor, _)| *anchor != "forecast" || view.data.forecast.is_some()).collect();
    for anchor in std::iter::once("short").chain(sections.iter().map(|section| section.0)) {
        out.begin("a").attr("href", &format!("#{anchor}")).end().text(words.text(&format!("section.{anchor}"))).raw("</a>");
    }
    // The script shows it.
    out.begin("input").attr("id", "find").attr("type", "search").attr("placeholder", words.text("tools.find"));
    out.attr("aria-label", words.text("tools.find")).raw(" hidden>");
    out.raw("<span id=\"found\" role=\"status\"></span></nav>\n<main>\n").append(&top::short(view, story));
    for (anchor, section) in sections {
        out.begin("section").attr("id", anchor).end().raw("\n");
        out.element("h2", words.text(&format!("section.{anchor}"))).raw("\n");
        out.append(&section(view)).raw("</section>\n");
    }
    out.raw("</main>\n").append(&top::footer(view));
    out.raw("<script type=\"application/json\" id=\"facts\">").json(&facts(view, story)?).raw("</script>\n");
    let tools = ["tools.save", "tools.copy", "tools.copied", "tools.found"]
        .map(|key| (key.trim_start_matches("tools.").to_owned(), words.text(key).into()));
    let tools = serde_json::Value::Object(tools.into_iter().collect());
    out.raw("<script type=\"application/json\" id=\"words\">").json(&tools).raw("</script>\n");
    out.raw("<script>").raw(SCRIPT).raw("</script>\n</body>\n</html>\n");
    Ok(out.into_string().into_bytes())
}

/// The method in sentences, as text.
pub(super) fn method_sentences(view: &View) -> Vec<String> {
    method::sentences(view).iter().map(|s| s.text()).collect()
}

/// Numbers behind the answers, for programs that open the page.
fn facts(view: &View, story: &Story) -> Result<serde_json::Value> {
    let mut map = serde_json::Map::new();
    for fact in &story.facts {
        let value =
            serde_json::to_value(&fact.value).map_err(|e| Error::bug(format!("a fact cannot be written: {e}")).caused_by(e))?;
        map.insert(fact.name.into(), value);
    }
    let run = &view.data.run;
    let as_of = view.last().map(|d| d.to_string());
    Ok(serde_json::json!({ "job": run.job_name, "run_id": run.run_id, "as_of": as_of, "facts": map }))
}

/// What the page may do: apply its own style, run its own script, nothing else.
fn policy() -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        base64(&Sha256::digest(STYLE.as_bytes())),
        base64(&Sha256::digest(SCRIPT.as_bytes()))
    )
}

/// Base64 of RFC 4648, as content security policies write hashes.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |g, b| (g << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
        for place in 0..4usize {
            let digit = (group >> (18 - 6 * place)) & 63;
            out.push(if place <= chunk.len() { DIGITS[digit as usize] as char } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let texts = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (plain, coded) in texts {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
