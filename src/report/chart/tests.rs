//! Tests of the charts.

use super::*;
use crate::report::colour;

fn mark(key: &str, value: f64) -> Mark {
    Mark { key: key.into(), value: Some(value), tip: format!("{key}: {value}") }
}

fn draw(chart: &dyn Chart, width: Width) -> String {
    let caption = Caption { id: "c".into(), title: "<Title>".into(), description: "Text & more".into() };
    svg(chart, &caption, width).into_string()
}

/// Values of an attribute.
fn attributes(svg: &str, name: &str) -> Vec<String> {
    let quoted = format!(" {name}=\"");
    svg.split(&quoted).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

fn flows() -> FlowChart {
    let node = |name: &str, place| Node {
        label: name.into(),
        ink: Ink::State(colour::on_ladder(place, 2)),
        text: "1".into(),
        mark: mark(name, 1.0),
    };
    let link = |from, to, value| Link { from, to, value, mark: mark(&format!("{from}>{to}"), value) };
    let sides = [vec![node("Best", 0), node("<Worst>", 1)], vec![node("Best", 0), node("<Worst>", 1)]];
    FlowChart {
        sides: ["Q1".into(), "Q2".into()],
        nodes: sides,
        links: vec![link(0, 0, 60.0), link(0, 1, 20.0), link(1, 1, 20.0)],
    }
}

#[test]
fn a_chart_says_what_it_is_and_lets_no_markup_in() {
    for width in [Width::Wide, Width::Narrow] {
        let svg = draw(&flows(), width);
        assert!(svg.contains("role=\"img\"") && svg.contains(">&lt;Title&gt;</title>") && svg.contains("Text &amp; more</desc>"));
        assert!(!svg.contains("<Worst>") && svg.contains("&lt;Worst&gt;"), "{svg}");
        assert_eq!(attributes(&svg, "width")[0], format!("{}", width.units()));
    }
}

#[test]
fn flows_keep_their_width_and_a_state_its_colour() {
    let svg = draw(&flows(), Width::Wide);
    // Blocks, then texts: two blocks a side with the heights 80 : 20 and 60 : 40.
    let heights: Vec<f64> = svg
        .split("class=\"block\"")
        .map(|part| attributes(part, "height").last().and_then(|h| h.parse().ok()).unwrap_or(0.0))
        .collect();
    assert!((heights[0] / heights[1] - 4.0).abs() < 0.01 && (heights[2] / heights[3] - 1.5).abs() < 0.01, "{heights:?}");
    let fills = attributes(&svg, "fill");
    let (best, worst) = (colour::on_ladder(0, 2), colour::on_ladder(1, 2));
    let want = [&best, &best, &worst, &best, &worst, &best, &worst].map(|c| c.as_str().to_owned());
    assert_eq!(fills, want, "three links in the colour of where they come from, then the blocks");
    assert_eq!(attributes(&svg, "data-v")[..3], ["60", "20", "20"]);
}

#[test]
fn bars_are_as_long_as_their_values() {
    let bar = |value| Bar { value, text: String::new(), mark: Mark::default() };
    let rows = vec![
        ("a".to_owned(), Ink::Class("x"), vec![bar(Some(0.5)), bar(Some(0.25))]),
        ("b".to_owned(), Ink::Class("x"), vec![bar(Some(0.125)), bar(None)]),
    ];
    let svg = draw(&BarChart { rows, names: vec!["one".into(), "two".into()] }, Width::Wide);
    let widths: Vec<f64> = attributes(&svg, "width").iter().skip(3).filter_map(|w| w.parse().ok()).collect();
    assert_eq!(widths, [500.0, 250.0, 125.0, 0.0]);
}

#[test]
fn forests_show_intervals_or_reasons() {
    let row = |label: &str, estimate, text: &str| ForestRow {
        label: label.into(),
        estimate,
        text: text.into(),
        ink: Ink::Class("d1"),
        total: false,
        mark: mark(label, 0.0),
    };
    let rows = vec![
        row("Loyal", Some([2.0, 1.0, 3.0]), "+2.0"),
        row("New", None, "no control"),
        row("All", Some([-1.0, -4.0, 2.0]), "−1"),
    ];
    let svg = draw(&ForestPlot { rows, axis: "money".into(), tick: &|v| format!("{v}") }, Width::Wide);
    assert_eq!(svg.matches("<circle").count(), 2);
    assert!(svg.contains(">no control</text>") && !svg.contains("NaN"), "{svg}");
    // From −4 at 110, the left end of the plot, to 4 at 524, its right end.
    let places: Vec<f64> = attributes(&svg, "cx").iter().filter_map(|x| x.parse().ok()).collect();
    assert_eq!(places, [420.5, 265.25]);
}

#[test]
fn columns_stack_and_stand_below_the_line() {
    let series = |value, below| Series { ink: Ink::Class("x"), values: vec![Some((value, Mark::default())), None], below };
    let chart = ColumnChart {
        hatched: Vec::new(),
        periods: vec!["1".into(), "2".into()],
        series: vec![series(30.0, false), series(50.0, false), series(20.0, true)],
        tick: &|v| format!("{v}"),
    };
    let svg = draw(&chart, Width::Wide);
    let heights: Vec<f64> = attributes(&svg, "height").iter().skip(1).filter_map(|h| h.parse().ok()).collect();
    assert_eq!(heights, [72.0, 120.0, 48.0], "240 units are −20 to 80");
}

#[test]
fn heat_has_a_number_in_every_cell() {
    let cell = |strength: f64| {
        let number = format!("{:.0}", strength * 100.0);
        Some(HeatCell { strength, text: format!("{number}%"), short: number, mark: Mark::default() })
    };
    let chart = HeatMap {
        row_title: "from".into(),
        column_title: "to".into(),
        rows: vec![("a".into(), None), ("b".into(), None)],
        columns: vec![("long name of a".into(), "1".into()), ("b".into(), "2".into())],
        cells: vec![vec![cell(0.9), cell(0.1)], vec![None, cell(1.0)]],
    };
    let svg = draw(&chart, Width::Narrow);
    assert_eq!(svg.matches("class=\"heat t").count(), 3);
    for text in [">90</text>", ">10</text>", ">100</text>", "heat t9", "heat t1\"", "heat t10"] {
        assert!(svg.contains(text), "{text} in {svg}");
    }
}

#[test]
fn words_fit() {
    assert_eq!(words::fit("Potential Loyalist", 13.0, 200.0), "Potential Loyalist");
    let short = words::fit("Potential Loyalist", 13.0, 60.0);
    assert!(short.ends_with('…') && words::width(&short, 13.0) <= 60.0, "{short}");
    assert_eq!(words::wrap("Potential Loyalist", 11.0, 60.0), ["Potential", "Loyalist"]);
    assert_eq!(words::wrap("潜在忠诚客户", 12.0, 36.0), ["潜在忠", "诚客户"]);
    // Nothing of a name is lost, however long its words are.
    let long = "Donaudampfschifffahrtsgesellschaft of the upper river";
    let lines = words::wrap(long, 11.0, 60.0);
    assert!(lines.iter().all(|line| words::width(line, 11.0) <= 60.0), "{lines:?}");
    assert_eq!(lines.concat().replace(' ', ""), long.replace(' ', ""));
    let mut places = [10.0, 11.0, 30.0];
    words::spread(&mut places, &[10.0, 12.0, 8.0], 0.0, 34.0);
    assert_eq!(places, [9.0, 20.0, 30.0]);
}

#[test]
fn axes_are_round() {
    assert_eq!(scale::ticks(-20.0, 80.0, 5), [-20.0, 0.0, 20.0, 40.0, 60.0, 80.0]);
    assert_eq!(scale::ticks(0.0, 0.0, 5), [0.0, 1.0]);
    assert!(scale::ticks(0.0, 1e12, 5).len() < 8);
}

#[test]
fn a_jump_stands_between_two_lines() {
    let dot = |at: f64, value: f64| JumpDot { at, value, mark: mark("dot", value) };
    let write = |x: f64| format!("{x}");
    let chart = JumpChart {
        dots: vec![dot(950.0, 10.0), dot(1_050.0, 20.0)],
        lines: [[(900.0, 8.0), (1_000.0, 12.0)], [(1_000.0, 18.0), (1_100.0, 22.0)]],
        interval: [14.0, 22.0],
        axes: ["spend".into(), "revenue".into()],
        tick_at: &write,
        tick_value: &write,
    };
    for width in [Width::Wide, Width::Narrow] {
        let svg = draw(&chart, width);
        let number = |text: &str| text.parse::<f64>().expect("a number");
        let across: Vec<f64> = attributes(&svg, "cx").iter().map(|x| number(x)).collect();
        let down: Vec<f64> = attributes(&svg, "cy").iter().map(|y| number(y)).collect();
        let lines: Vec<Vec<f64>> =
            attributes(&svg, "points").iter().map(|points| points.split([' ', ',']).map(number).collect()).collect();
        // The dots lie on their lines, in the middle, and the cut between them.
        for (line, (x, y)) in lines.iter().zip(across.iter().zip(&down)) {
            let [x1, y1, x2, y2] = line[..] else { panic!("two points") };
            assert!(((x1 + x2) / 2.0 - x).abs() < 0.2 && ((y1 + y2) / 2.0 - y).abs() < 0.2, "{line:?} {x} {y}");
        }
        assert_eq!(lines[0][2], lines[1][0], "both lines end at the cut");
        assert!(lines[1][1] < lines[0][3], "the line on the right begins higher");
        assert_eq!(attributes(&svg, "data-v"), ["10", "20"]);
    }
}
