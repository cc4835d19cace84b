//! Effects by dimensions of the customers table and by columns of the assignments: those of a job that has these customers alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use arrow::array::{ArrayRef, BooleanArray};

use crate::fixture::{dates, decimals, floats, ints, parquet_bytes, texts};
use crate::support::run::{Cell, Table, Workshop, read_file};

/// Customers from here on are assigned and have no orders.
const WITHOUT_ORDERS: i64 = 1_000;

/// An assignment: customer, month, arm, and three columns besides.
#[derive(Clone, Copy)]
struct Row {
    id: i64,
    month: i64,
    arm: &'static str,
    channel: Option<&'static str>,
    wave: i64,
    vip: bool,
}

/// A number that looks drawn by chance.
fn drawn(n: i64) -> i64 {
    let x = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33) as i64
}

/// Twelve hundred customers in April and two thirds of them again in May, drawn anew; some change their channel.
fn assigned() -> Vec<Row> {
    let row = |(month, id): (i64, i64)| Row {
        id,
        month,
        arm: if drawn(id * 2 + month) % 13 < 7 { "mail" } else { "control" },
        channel: [Some("web"), Some("shop"), None, Some("web"), Some("shop")][((id + month * (id % 2)) % 5) as usize],
        wave: id / 17 % 2 + 1,
        vip: id % 7 < 3,
    };
    (0..2).flat_map(|month| (month * 400..1_200).map(move |id| (month, id))).map(row).collect()
}

/// What the customers table says of a customer, if it has them.
fn region(id: i64) -> Option<Option<&'static str>> {
    (id % 10 != 3).then_some([Some("south"), Some("north"), None, Some("active")][(id / 3 % 4) as usize])
}

/// The orders: customer, day, cents, shelf. Those who got a mail spend more in the north.
fn orders(rows: &[Row]) -> Vec<(i64, String, i64, &'static str)> {
    let mut orders = Vec::new();
    for id in 0..WITHOUT_ORDERS {
        let shelf = if id % 4 == 0 { "food" } else { "toys" };
        for (month, number) in [("02", 3), ("03", 5), ("04", 7), ("05", 11)] {
            if drawn(id * 16 + number) % 10 < 6 {
                orders.push((id, format!("2024-{month}-10"), 1_000 + 20 * (drawn(id * 16 + number) % 101), shelf));
            }
        }
    }
    for row in rows.iter().filter(|row| row.id < WITHOUT_ORDERS && row.arm == "mail" && region(row.id) == Some(Some("north"))) {
        let shelf = if row.id % 4 == 0 { "food" } else { "toys" };
        orders.push((row.id, format!("2024-0{}-12", row.month + 4), 900, shelf));
    }
    orders
}

/// What a job says beyond its orders.
#[derive(Clone)]
struct Job {
    top: &'static str,
    by: &'static str,
    more: &'static str,
    periods: &'static str,
    orders: &'static str,
    design: &'static str,
}

const RANDOMISED: &str = "design = \"randomised\"\ncontrol = \"control\"\nsplit = { control = \"6/13\", mail = \"7/13\" }\noutcomes = [\"revenue\", \"converted\"]\n";
const JOB: Job = Job {
    top: "",
    by: "[]",
    more: "",
    periods: "[{ from = 2024-04-01, to = 2024-04-30 }, { from = 2024-05-01, to = 2024-05-31 }]",
    orders: "",
    design: RANDOMISED,
};

/// A shop with these rows in its assignments.
fn shop(rows: &[Row], job: &Job) -> Workshop {
    let shop = Workshop::new();
    let columns = [
        ("customer_id", ints(rows.iter().map(|row| row.id))),
        ("arm", texts(rows.iter().map(|row| row.arm))),
        ("assigned_on", dates(rows.iter().map(|row| ["2024-04-01", "2024-05-01"][row.month as usize]))),
        ("channel", texts(rows.iter().map(|row| row.channel))),
        ("wave", ints(rows.iter().map(|row| row.wave))),
        ("vip", std::sync::Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.vip)))) as ArrayRef),
        ("score", floats(rows.iter().map(|row| row.id as f64))),
    ];
    std::fs::write(shop.path("mail.parquet"), parquet_bytes(&columns)).expect("assignments");
    write_rest(&shop, job);
    shop
}

/// Orders, customers and the job file.
fn write_rest(shop: &Workshop, job: &Job) {
    let orders = orders(&assigned());
    let columns = [
        ("customer_id", ints(orders.iter().map(|order| order.0))),
        ("ordered_at", dates(orders.iter().map(|order| order.1.as_str()))),
        ("amount", decimals(2, orders.iter().map(|order| i128::from(order.2)))),
        ("shelf", texts(orders.iter().map(|order| order.3))),
    ];
    std::fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
    let known: Vec<(i64, Option<&str>)> = (0..1_500).filter_map(|id| Some((id, region(id)?))).collect();
    let columns = [
        ("customer_id", ints(known.iter().map(|customer| customer.0))),
        ("region", texts(known.iter().map(|customer| customer.1))),
        ("code", ints(known.iter().map(|customer| customer.0))),
        ("channel", texts(known.iter().map(|_| "post"))),
    ];
    std::fs::write(shop.path("customers.parquet"), parquet_bytes(&columns)).expect("customers");
    let Job { top, by, more, periods, orders, design } = job;
    let mut text = format!(
        "name = \"by\"\n{top}\n[orders]\npath = \"orders.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\n\
         amount = \"amount\"\n{orders}\n[customers]\npath = \"customers.parquet\"\ncustomer_id = \"customer_id\"\n\
         dimensions = [\"region\", \"code\"]\n"
    );
    write!(
        text,
        "[periods]\nevery = \"month\"\nfrom = 2024-04-01\nto = 2024-05-31\n[schemes]\nsegment = \"recency_windows\"\n\
         [output]\npath = \"out\"\nreport = [\"html\", \"json\"]\n[[strategy]]\nname = \"s\"\nassignments = \"mail.parquet\"\n\
         periods = {periods}\noutcome_days = 20\n{design}by = {by}\n{more}"
    )
    .expect("text");
    shop.write("job.toml", &text);
}

fn run(rows: &[Row], job: &Job) -> Workshop {
    let shop = shop(rows, job);
    shop.run_here(None).unwrap_or_else(|error| panic!("{error}"));
    shop
}

fn refused(rows: &[Row], job: &Job) -> String {
    let error = shop(rows, job).run_here(None).expect_err("a job that cannot run");
    format!("exit {}: {error}", error.kind().exit_code())
}

fn table(shop: &Workshop, name: &str) -> Table {
    read_file(&shop.path(&format!("out/latest/{name}.parquet")))
}

/// The rows of a group without what families, ranks and checks of all customers decide.
fn of_group(table: &Table, group: (&str, &str)) -> Vec<BTreeMap<String, Cell>> {
    const OF_ALL: [&str; 22] = [
        "scheme",
        "recurring_share",
        "state",
        "p_adjusted",
        "family_size",
        "ci_low_adjusted",
        "ci_high_adjusted",
        "mde",
        "mde_loss",
        "srm_p",
        "net_margin_low_adjusted",
        "net_margin_high_adjusted",
        "excluded",
        "run_id",
        "ranked_by",
        "shrunk_difference",
        "rank",
        "looks",
        "shrunk_low",
        "headline",
        "best_period",
        "worst_period",
    ];
    let rows = table.records().into_iter().filter(|row| (row["scheme"].text(), row["state"].text()) == group);
    let told = |row: BTreeMap<&str, &Cell>| {
        row.into_iter().filter(|(name, _)| !OF_ALL.contains(name)).map(|(name, cell)| (name.to_owned(), cell.clone())).collect()
    };
    rows.map(told).collect()
}

/// A test of customers by something.
type Belongs = dyn Fn(&Row) -> bool;

#[test]
fn a_value_is_a_job_of_its_own() {
    let all = assigned();
    let both = run(&all, &Job { by: "[\"wave\", \"segment\", \"region\", \"vip\", \"channel\"]", ..JOB });
    let groups: [(&str, &str, &Belongs); 10] = [
        ("region", "north", &|row| region(row.id) == Some(Some("north"))),
        ("region", "south", &|row| region(row.id) == Some(Some("south"))),
        ("region", "active", &|row| region(row.id) == Some(Some("active"))),
        ("region", "(unknown)", &|row| region(row.id).flatten().is_none()),
        ("channel", "web", &|row| row.channel == Some("web")),
        ("channel", "shop", &|row| row.channel == Some("shop")),
        ("channel", "(none)", &|row| row.channel.is_none()),
        ("wave", "2", &|row| row.wave == 2),
        ("vip", "true", &|row| row.vip),
        ("vip", "false", &|row| !row.vip),
    ];
    for (scheme, state, belongs) in groups {
        let rows: Vec<Row> = all.iter().filter(|row| belongs(row)).copied().collect();
        let alone = run(&rows, &JOB);
        for name in ["effects", "effects_over_time"] {
            let told = of_group(&table(&both, name), (scheme, state));
            let wanted = of_group(&table(&alone, name), ("(all)", "(all)"));
            assert!(
                wanted.len() >= 4 && wanted.iter().any(|row| row["difference"] != Cell::Null),
                "{scheme} {state}: {wanted:?}"
            );
            let differing: Vec<_> = told.iter().zip(&wanted).filter(|(told, wanted)| told != wanted).collect();
            let first = differing.first().map(|(told, wanted)| {
                let fields = told.iter().filter(|(name, cell)| wanted[*name] != **cell);
                fields.map(|(name, cell)| format!("{name}: {cell:?}, not {:?}", wanted[name])).collect::<Vec<_>>()
            });
            assert!(
                told.len() == wanted.len() && first.is_none(),
                "{name} of {scheme} {state}: {first:?} in {:?}",
                differing.first()
            );
        }
    }
    // A name in `by` has all customers once.
    let effects = table(&both, "effects");
    let rows = effects.records();
    let count = |scheme: &str| -> i128 {
        let of_scheme = rows.iter().filter(|row| row["headline"] == &Cell::Bool(true) && row["scheme"].text() == scheme);
        of_scheme.map(|row| row["n_treated"].int() + row["n_control"].int()).sum()
    };
    for scheme in ["(all)", "segment", "region", "channel", "wave", "vip"] {
        assert_eq!(count(scheme), all.len() as i128, "{scheme}");
    }
}

/// The means of the north by a plain loop, and the verdict that follows.
#[test]
fn the_north_gains_what_its_mails_brought() {
    let all = assigned();
    let shop = run(&all, &Job { by: "[\"region\"]", ..JOB });
    let mut spent: BTreeMap<i64, i64> = BTreeMap::new();
    for (id, day, cents, _) in orders(&all).iter().filter(|order| order.1.starts_with("2024-04")) {
        assert!(day.as_str() < "2024-04-21");
        *spent.entry(*id).or_default() += cents;
    }
    let mean = |arm: &str| {
        let of_arm = all.iter().filter(|row| row.month == 0 && row.arm == arm && region(row.id) == Some(Some("north")));
        let values: Vec<i64> = of_arm.map(|row| spent.get(&row.id).copied().unwrap_or(0)).collect();
        values.iter().sum::<i64>() as f64 / values.len() as f64 / 100.0
    };
    let effects = table(&shop, "effects");
    let rows = effects.records();
    let row = rows.iter().find(|row| {
        row["state"].text() == "north"
            && row["method"].text() == "permutation"
            && row["outcome"].text() == "revenue"
            && row["period_start"].date() == 19_814
    });
    let row = row.expect("a row");
    assert!(
        (row["mean_treated"].double() - mean("mail")).abs() < 1e-9
            && (row["mean_control"].double() - mean("control")).abs() < 1e-9
    );
    let verdicts = table(&shop, "verdicts");
    let verdicts_rows = verdicts.records();
    let verdict = |state: &str| {
        let mut found =
            verdicts.records().into_iter().filter(|row| row["state"].text() == state && row["period_start"] == &Cell::Null);
        found.next().expect("a verdict")["verdict"].text().to_owned()
    };
    let reasons: Vec<&str> = verdicts_rows.iter().map(|row| row["reason"].text()).collect();
    assert_eq!((verdict("north").as_str(), verdict("south").as_str()), ("keep", "test_longer"), "{reasons:#?}");
}

/// Of customers without orders in the strategy's slice, or in the lookback, the customers table still says what they are.
#[test]
fn dimensions_need_no_orders() {
    let all: Vec<Row> = assigned().into_iter().filter(|row| row.month == 0).collect();
    let of = |state: &str| {
        let named = |row: &Row| region(row.id).flatten().unwrap_or("(unknown)") == state;
        all.iter().filter(|row| named(row)).count() as i128
    };
    let april = "[{ from = 2024-04-01, to = 2024-04-30 }]";
    let jobs = [
        Job { by: "[\"region\"]", more: "slice = \"toys\"\n", orders: "slice = \"shelf\"", periods: april, ..JOB },
        Job {
            by: "[\"region\"]",
            more: "[score]\nlookback = \"30d\"\n",
            top: "population = \"lookback\"",
            periods: april,
            ..JOB
        },
    ];
    for job in jobs {
        let effects = table(&run(&all, &job), "effects");
        let rows = effects.records();
        for state in ["north", "south", "active", "(unknown)"] {
            let row =
                rows.iter().find(|row| row["state"].text() == state && row["headline"] == &Cell::Bool(true)).expect("a row");
            assert_eq!(row["n_treated"].int() + row["n_control"].int(), of(state), "{state}");
        }
    }
}

/// A table of CSV files, one of which lacks the column: its rows have no value.
#[test]
fn files_without_a_column_have_no_values() {
    let all = assigned();
    let april: Vec<&Row> = all.iter().filter(|row| row.month == 0).collect();
    let (mut first, mut second) =
        (String::from("customer_id,arm,assigned_on,channel\n"), String::from("customer_id,arm,assigned_on\n"));
    for row in &april {
        match row.id % 2 {
            0 => writeln!(first, "{},{},2024-04-01,{}", row.id, row.arm, row.channel.unwrap_or_default()).expect("text"),
            _ => writeln!(second, "{},{},2024-04-01", row.id, row.arm).expect("text"),
        }
    }
    let workshop = Workshop::new();
    workshop.write("a.csv", &first);
    workshop.write("b.csv", &second);
    write_rest(&workshop, &Job { by: "[\"channel\"]", periods: "[{ from = 2024-04-01, to = 2024-04-30 }]", ..JOB });
    let job = std::fs::read_to_string(workshop.path("job.toml")).expect("a job").replace("mail.parquet", "?.csv");
    workshop.write("job.toml", &job);
    workshop.run_here(None).expect("a run");
    let effects = table(&workshop, "effects");
    let rows = effects.records();
    for state in ["web", "shop", "(none)"] {
        let named = |row: &&&Row| row.channel.filter(|_| row.id % 2 == 0).unwrap_or("(none)") == state;
        let row = rows.iter().find(|row| row["state"].text() == state && row["headline"] == &Cell::Bool(true)).expect("a row");
        assert_eq!(row["n_treated"].int() + row["n_control"].int(), april.iter().filter(named).count() as i128, "{state}");
    }
}

/// Arms that are kept from April are an outcome of April's treatment by May: a value that nobody knows of before is, too.
#[test]
fn values_of_kept_arms_say_nothing() {
    let kept = |row: Row| Row { arm: if drawn(row.id * 2) % 13 < 7 { "mail" } else { "control" }, ..row };
    let all: Vec<Row> = assigned().into_iter().map(kept).collect();
    let shop = run(&all, &Job { by: "[\"segment\", \"region\", \"channel\"]", ..JOB });
    let verdicts = table(&shop, "verdicts");
    let of = |scheme: &str, start: i64| {
        let rows = verdicts.records().into_iter().filter(|row| row["scheme"].text() == scheme);
        let rows = rows.filter(|row| *row["period_start"] != Cell::Null && row["period_start"].date() == start);
        rows.map(|row| row["reason"].text().to_owned()).collect::<Vec<_>>()
    };
    let shaped = "so the states that customers are in are an outcome";
    for scheme in ["region", "channel"] {
        let (april, may) = (of(scheme, 19_814), of(scheme, 19_844));
        assert!(april.len() > 2 && april.iter().all(|reason| !reason.contains(shaped)), "{april:?}");
        assert!(may.len() > 2 && may.iter().all(|reason| reason.contains(shaped)), "{may:?}");
    }
    assert!(
        of("segment", 19_844).iter().any(|reason| reason.contains("customers are in the state of the day before their first"))
    );
}

/// Stores are drawn; their customers live in several regions. A region's sizes count the stores that have customers there.
#[test]
fn regions_of_drawn_stores_have_stores_as_units() {
    let store = |row: Row| {
        let store = drawn(row.id) % 30;
        Row { wave: store, arm: if store * 7 % 30 < 15 { "mail" } else { "control" }, ..row }
    };
    let all: Vec<Row> = assigned().into_iter().filter(|row| row.month == 0).map(store).collect();
    let design = "design = \"randomised\"\ncontrol = \"control\"\nsplit = { control = 0.5, mail = 0.5 }\noutcomes = [\"revenue\"]\ncluster = \"wave\"\n";
    let job = Job { by: "[\"region\", \"vip\"]", design, periods: "[{ from = 2024-04-01, to = 2024-04-30 }]", ..JOB };
    let both = run(&all, &job);
    for (scheme, state, belongs) in [
        ("region", "north", &(|row: &Row| region(row.id) == Some(Some("north"))) as &Belongs),
        ("vip", "true", &|row: &Row| row.vip),
    ] {
        let rows: Vec<Row> = all.iter().filter(|row| belongs(row)).copied().collect();
        let told = of_group(&table(&both, "effects"), (scheme, state));
        let wanted = of_group(&table(&run(&rows, &Job { by: "[]", ..job.clone() }), "effects"), ("(all)", "(all)"));
        assert!(told.len() == 1 && told[0]["clusters_treated"].int() > 5, "{told:?}");
        assert_eq!(told, wanted);
    }
}

/// A matched strategy compares within the states that it would match on without them.
#[test]
fn matched_strategies_are_shown_by_values() {
    let all: Vec<Row> = assigned().into_iter().filter(|row| row.month == 0).collect();
    let design = "design = \"matched\"\ncontrol = \"control\"\noutcomes = [\"revenue\"]\n";
    let job = Job { by: "[\"region\", \"channel\"]", design, periods: "[{ from = 2024-04-01, to = 2024-04-30 }]", ..JOB };
    let both = run(&all, &job);
    let north: Vec<Row> = all.iter().filter(|row| region(row.id) == Some(Some("north"))).copied().collect();
    let told = of_group(&table(&both, "effects"), ("region", "north"));
    assert_eq!(told.len(), 2);
    assert_eq!(told, of_group(&table(&run(&north, &Job { by: "[]", ..job }), "effects"), ("(all)", "(all)")));
}

/// Without a control, a region is described beside who lives there and is not assigned.
#[test]
fn regions_without_a_control_stand_beside_their_own() {
    let all: Vec<Row> = assigned().into_iter().filter(|row| row.month == 1).collect();
    let design = "design = \"before_after\"\noutcomes = [\"orders\"]\n";
    let job = Job { by: "[\"region\"]", design, periods: "[{ from = 2024-05-01, to = 2024-05-31 }]", ..JOB };
    let shop = run(&all, &job);
    let arms = table(&shop, "arms");
    let unassigned = arms.records().into_iter().filter(|row| row["arm"].text() == "(not assigned)");
    let counts: BTreeMap<String, i128> =
        unassigned.map(|row| (format!("{} {}", row["scheme"].text(), row["state"].text()), row["n"].int())).collect();
    // Who has ordered by April, and who is on the customers table, but for the assigned.
    let bought: BTreeSet<i64> =
        orders(&assigned()).iter().filter(|order| order.1.as_str() < "2024-05").map(|order| order.0).collect();
    let others = || (0..1_500).filter(|id| !(400..1_200).contains(id) && (region(*id).is_some() || bought.contains(id)));
    let of = |state: &str| others().filter(|id| region(*id).flatten().unwrap_or("(unknown)") == state).count() as i128;
    assert_eq!(
        counts["region north"] + counts["region south"] + counts["region active"] + counts["region (unknown)"],
        counts["(all) (all)"]
    );
    for state in ["north", "south", "active", "(unknown)"] {
        assert_eq!(counts[&format!("region {state}")], of(state), "{state}");
    }
    assert!(
        refused(&all, &Job { by: "[\"channel\"]", ..job }).contains(
            "by names \"channel\", which is no scheme column and no dimension of the customers table (scheme columns: segment; dimensions: region, code); columns of the assignments go with designs that have a control"
        )
    );
}

/// Names come from the data: none is translated, not even one that a built-in state has, and small groups stay hidden.
#[test]
fn pages_show_values_as_they_are() {
    let all = assigned();
    let shop = shop(&all, &Job { by: "[\"region\", \"channel\"]", ..JOB });
    let job = std::fs::read_to_string(shop.path("job.toml")).expect("a job");
    shop.write("job.toml", &job.replace("report = [", "language = \"zh-Hans\"\nmin_group = 5\nreport = ["));
    shop.run_here(None).expect("a run");
    let page = std::fs::read_to_string(shop.path("out/latest/report/index.html")).expect("a page");
    let strategies = &page[page.find("id=\"strategies\"").expect("a section")..];
    for name in ["north", "south", "active", "(unknown)", "web", "shop", "(none)"] {
        assert!(strategies.contains(&format!(">{name}<")), "{name}");
    }
    let few: Vec<Row> = all.iter().filter(|row| row.channel.is_some() || row.id % 50 == 2).copied().collect();
    let json = |min: &str| {
        let shop = self::shop(&few, &Job { by: "[\"channel\"]", ..JOB });
        let job = std::fs::read_to_string(shop.path("job.toml")).expect("a job");
        shop.write("job.toml", &job.replace("report = [", &format!("min_group = {min}\nreport = [")));
        shop.run_here(None).expect("a run");
        let text = std::fs::read_to_string(shop.path("out/latest/report/report.json")).expect("a file");
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")
    };
    let hidden = |json: &serde_json::Value| {
        let rows = json["effects"].as_array().expect("rows").iter().filter(|row| row["state"] == "(none)");
        rows.map(|row| row["n_treated"].is_null() && row["difference"].is_null()).collect::<Vec<_>>()
    };
    let (shown, small) = (hidden(&json("1")), hidden(&json("40")));
    assert!(!shown.is_empty() && shown.iter().all(|hidden| !hidden) && small.iter().all(|hidden| *hidden), "{shown:?} {small:?}");
}

#[test]
fn names_of_two_things_or_of_none_are_refused() {
    let all = assigned();
    let by = |by: &'static str| refused(&all, &Job { by, ..JOB });
    let says = |by_names: &'static str, wanted: &str| {
        let error = by(by_names);
        assert!(error.contains(wanted), "{by_names}: {error}\nnot {wanted}");
    };
    says("[\"chanel\"]", "exit 3");
    says(
        "[\"chanel\"]",
        "by names \"chanel\", which is no scheme column, no dimension of the customers table and no column of the assignments; did you mean \"channel\"? (scheme columns: segment; dimensions: region, code; columns: customer_id, arm, assigned_on, channel, wave, vip, score); correct the name, or add the column",
    );
    says("[\"regoin\"]", "did you mean \"region\"?");
    says("[\"score\"]", "column \"score\" is of type float64; expected a string, an integer or a boolean");
    says("[\"arm\"]", "exit 2");
    says("[\"arm\"]", "by names \"arm\", a column of the assignments that means something else");
    says("[\"\"]", "by names \"\", which is empty or begins with a parenthesis");
    says("[\"region\", \"region\"]", "by lists \"region\" twice; list it once");
    says("[\"code\"]", "exit 3");
    says(
        "[\"code\"]",
        "by names the dimension \"code\", which has 1350 values; effects are shown by at most 1000: name a dimension such as a region",
    );
    let ids: Vec<Row> = all.iter().map(|row| Row { wave: row.id, ..*row }).collect();
    let error = refused(&ids, &Job { by: "[\"wave\"]", ..JOB });
    let wanted =
        "exit 3: the column \"wave\", which by of strategy \"s\" names, has 1200 values; effects are shown by at most 1000";
    assert!(error.starts_with(wanted), "{error}");
    // Scheme column and column of the assignments, dimension and column, dimension and scheme column, dimension and strata.
    let clash = |from: &str, to: &str, by: &'static str| {
        let shop = shop(&all, &Job { by, ..JOB });
        let job = std::fs::read_to_string(shop.path("job.toml")).expect("a job");
        shop.write("job.toml", &job.replace(from, to));
        let error = shop.run_here(None).expect_err("a name of two things");
        format!("exit {}: {error}", error.kind().exit_code())
    };
    let error = clash("segment = \"rec", "channel = \"rec", "[\"channel\"]");
    let two = |one: &str, other: &str, name: &str| {
        format!("by names {name:?}, which is {one} and {other}; give one of them another name")
    };
    let (column, dimension, scheme) = ("a column of the assignments", "a dimension of the customers table", "a scheme column");
    assert!(error.starts_with("exit 2") && error.contains(&two(scheme, column, "channel")), "{error}");
    let error = clash("dimensions = [\"region\"", "dimensions = [\"channel\"", "[\"channel\"]");
    assert!(error.starts_with("exit 2") && error.contains(&two(dimension, column, "channel")), "{error}");
    let error = clash("segment = \"rec", "region = \"rec", "[\"region\"]");
    assert!(error.starts_with("exit 2") && error.contains(&two(scheme, dimension, "region")), "{error}");
    let error = clash("dimensions = [\"region\"", "dimensions = [\"stratum\"", "[\"stratum\"]");
    assert!(
        error.starts_with("exit 2") && error.contains(&two(dimension, "the strata of the assignments", "stratum")),
        "{error}"
    );
}

/// `check` finds a wrong name before any row is read.
#[test]
fn check_looks_up_the_columns() {
    let shop = shop(&assigned(), &Job { by: "[\"wav\"]", ..JOB });
    let output = shop.command().args(["check", "job.toml"]).output().expect("the program");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(3) && said.contains("did you mean \"wave\"?"), "{said}");
}

/// Values that tables or people cannot tell apart, in the assignments.
#[test]
fn values_that_mislead_are_refused() {
    let with = |channel: &'static str| {
        let change = |row: Row| if row.id == 7 { Row { channel: Some(channel), ..row } } else { row };
        refused(&assigned().into_iter().map(change).collect::<Vec<_>>(), &Job { by: "[\"channel\"]", ..JOB })
    };
    let error = with("(all)");
    assert!(
        error.starts_with("exit 3")
            && error.contains("row 8: the column \"channel\", which by of strategy \"s\" names, holds \"(all)\""),
        "{error}"
    );
    let error = with("Web ");
    assert!(error.starts_with("exit 3") && error.contains("differ only in case or blanks; write one name"), "{error}");
}
