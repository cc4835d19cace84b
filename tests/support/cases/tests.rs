//! The cases themselves: valid, varied, and the same for the same seed.

use super::*;
use std::collections::BTreeMap;

#[test]
fn splitmix_is_the_published_one() {
    // The first numbers of seed 1234567 in the reference implementation.
    let mut rng = Rng::new(1_234_567);
    assert_eq!([rng.next_u64(), rng.next_u64()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
}

#[test]
fn a_seed_is_one_case() {
    for seed in 0..50 {
        let (a, b) = (case(seed), case(seed));
        assert_eq!(a.job_toml("d", "o"), b.job_toml("d", "o"));
        assert_eq!(a.input_text(), b.input_text());
        assert_eq!(a.files, b.files);
    }
}

/// What must hold of every answer, whatever the case.
fn check_answer(case: &Case, answer: &Answer) {
    let job = &case.job;
    for file in &case.input.files {
        let entries: Vec<_> = answer.ledger.iter().filter(|((f, _), _)| *f == file.name).collect();
        let rows: u64 = entries.iter().map(|(_, s)| s.rows).sum();
        let money: i128 = entries.iter().map(|(_, s)| s.money).sum();
        let readable = file.rows.iter().map(|row| match amount_of(job, &case.input.columns, row) {
            Amount::Money(m) if job.negate && job.returns.as_ref().is_some_and(|p| passes(p, &case.input.columns, row)) => -m,
            Amount::Money(m) => m,
            _ => 0,
        });
        assert_eq!((rows, money), (file.rows.len() as u64, readable.sum()));
    }
    for slice in answer.snapshots.iter().flat_map(|s| &s.slices) {
        assert!(slice.customers.is_sorted_by(|a, b| a.id < b.id));
        let scored = slice.customers.iter().filter(|c| c.scores[0].is_some()).count() as u64;
        for cuts in &slice.cuts {
            assert_eq!(cuts.customers.iter().sum::<u64>(), scored);
            assert!(cuts.cuts.is_empty() || cuts.cuts.len() == job.bins as usize - 1);
        }
        for scheme in &job.schemes {
            let rows = slice.segments.iter().filter(|s| s.scheme == scheme.column);
            assert_eq!(rows.map(|s| s.customers).sum::<u64>(), slice.customers.len() as u64);
        }
        for c in &slice.customers {
            assert!(c.recency_days >= 0 && c.tenure_days >= c.recency_days && c.frequency <= c.lifetime_orders);
            assert!(c.scores.iter().flatten().all(|s| (1..=job.bins).contains(s)));
            assert_eq!(c.states.len(), job.schemes.len());
        }
        for axis in Axis::ALL {
            if job.methods[axis as usize] == Method::Ntile {
                continue;
            }
            let value = |c: &CustomerRow| [-c.recency_days, c.frequency, c.monetary][axis as usize];
            let mut pairs: Vec<_> = slice.customers.iter().filter_map(|c| Some((value(c), c.scores[axis as usize]?))).collect();
            pairs.sort();
            for pair in pairs.windows(2) {
                assert!(pair[0].1 <= pair[1].1, "a better value has at least the same score");
                assert!(pair[0].0 != pair[1].0 || pair[0].1 == pair[1].1, "equal values have equal scores");
            }
        }
    }
}

#[test]
fn cases_are_mostly_valid_and_turn_every_setting() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let total = 1500;
    for seed in 0..total {
        let case = case(seed);
        let mut note = |text: String| *seen.entry(text).or_default() += 1;
        let rows: usize = case.input.files.iter().map(|f| f.rows.len()).sum();
        assert!(rows <= 60 && (1..=3).contains(&case.input.files.len()));
        for file in 0..case.input.files.len() {
            assert_eq!(case.columns(file).len(), case.input.columns.len());
        }
        let answer = match &case.answer {
            Err(failure) => {
                assert_eq!(case.expect_exit, Some(failure.exit));
                note(format!("exit {}: {}", failure.exit, failure.why));
                note("fails".into());
                continue;
            }
            Ok(answer) => answer,
        };
        assert_eq!(case.expect_exit, None);
        check_answer(&case, answer);
        let job = &case.job;
        for method in &job.methods {
            let frozen = if job.frozen { " frozen" } else { "" };
            match method {
                Method::Rank(ties) => note(format!("rank {ties:?}{frozen}")),
                Method::Thresholds { closed, .. } => note(format!("thresholds {closed:?}{frozen}")),
                other => note(format!("{other:?}{frozen}")),
            }
        }
        note(format!("levels {:?}", job.levels));
        note(format!("monetary {:?}", job.monetary));
        note(format!("monetary as {:?}", job.monetary_as));
        note(format!("count {:?}", job.count));
        note(format!("population {:?}", job.population));
        note(format!("zero {:?}", job.zero_amount));
        let dates = moments(job);
        note(format!("dates {}", dates.iter().filter(|m| m.shown).count()));
        note(match &job.periods {
            Periods::AsOf(_) => "as-of dates".into(),
            Periods::Every(every, ..) => format!("every {every:?}"),
            Periods::List(_) => "listed periods".into(),
        });
        note(format!("lookback {}", format!("{:?}", job.lookback).split('(').next().unwrap()));
        note(format!("path {:?}", case.path_style));
        note(format!("zone {}", job.timezone));
        note(format!("naive zone {:?}", job.naive_timezone));
        note(format!("factors {}", job.amount.len()));
        for (used, what) in [
            (job.latest.is_some(), "latest"),
            (job.dedupe_rows, "dedupe"),
            (dates.iter().any(|m| !m.shown), "compare"),
            (dates.iter().any(|m| m.compared_with.len() > 1), "two earlier dates"),
            (job.only_as_of.is_some(), "one date"),
            (!job.playbook.is_empty(), "playbook"),
            (answer.movement.cohorts.iter().any(|c| c.spend.is_some()), "costs of acquisition"),
            (job.uses_periods(), "measures of periods"),
            (job.frozen && dates.first().is_some_and(|m| !m.shown), "frozen after a compare date"),
            (answer.movement.movers.iter().any(|m| m.reason.as_deref() == Some("behaviour")), "moved by behaviour"),
            (answer.movement.movers.iter().any(|m| m.reason.as_deref() == Some("cut_points")), "moved by cut points"),
            (answer.movement.movers.iter().any(|m| m.reason.is_none()), "moved for no known reason"),
            (answer.movement.transitions.iter().any(|t| t.to_state == "(none)"), "exits"),
            (answer.movement.growth.iter().any(|g| g.resurrected > 0), "resurrected"),
            (answer.movement.growth.iter().any(|g| g.from_state == "(none)"), "growth of newcomers"),
            (answer.movement.cohorts.iter().any(|c| c.periods_since > Some(0)), "older cohorts"),
            (answer.movement.cohorts.iter().any(|c| c.period.is_none()), "cohorts outside of periods"),
            (!job.order_id.is_empty(), "lines"),
            (job.order_id.len() > 1, "orders told apart by two columns"),
            (job.negate, "returns of positive amounts"),
            (job.money_only.is_some(), "money alone"),
            (!job.guests.is_empty(), "guests"),
            (job.slice.is_some(), "slices"),
            (!job.only.is_empty(), "only"),
            (job.returns.is_some(), "returns"),
            (!job.extra_lookbacks.is_empty(), "extra lookbacks"),
            (job.schemes.iter().any(Scheme::uses_levels), "levels in a scheme"),
            (!job.schemes.iter().all(Scheme::uses_scores), "a scheme over measures"),
        ] {
            if used {
                note(what.into());
            }
        }
        for predicate in &job.keep {
            note(format!("keep {}", format!("{:?}", predicate.test).split('(').next().unwrap()));
        }
        for spec in &case.input.columns {
            let kind = format!("{:?}", spec.kind);
            note(format!("column {}", kind.split(" zone").next().unwrap()));
        }
        for (_, outcome) in answer.ledger.keys() {
            note(format!("outcome {outcome}"));
        }
        for text in &answer.notes {
            note(format!("reading: {text}"));
        }
        if answer.snapshots.iter().any(|s| s.slices.is_empty()) {
            note("an empty date".into());
        }
    }
    if std::env::var_os("SHOW_CASES").is_some() {
        seen.iter().for_each(|(text, n)| println!("{n:5} {text}"));
    }
    assert!(seen["fails"] < total as u32 / 8, "{} of {total} cases fail", seen["fails"]);
    let must = [
        "Quantile",
        "Quantile frozen",
        "RRfm",
        "RRfm frozen",
        "Ntile",
        "rank Min",
        "rank Mid",
        "rank Max",
        "rank Min frozen",
        "rank Mid frozen",
        "rank Max frozen",
        "thresholds Right",
        "thresholds Left",
        "levels Mean",
        "levels Median",
        "levels Score",
        "monetary Gross",
        "monetary as Average",
        "count OrderDays",
        "population Lookback",
        "zero Drop",
        "dates 4",
        "dates 8",
        "as-of dates",
        "every Day",
        "every Week",
        "every Month",
        "every Quarter",
        "every Year",
        "listed periods",
        "compare",
        "two earlier dates",
        "one date",
        "playbook",
        "costs of acquisition",
        "measures of periods",
        "frozen after a compare date",
        "moved by behaviour",
        "moved by cut points",
        "moved for no known reason",
        "exits",
        "resurrected",
        "growth of newcomers",
        "older cohorts",
        "cohorts outside of periods",
        "lookback All",
        "lookback Days",
        "lookback Months",
        "lookback Quarters",
        "lookback Years",
        "path Folder",
        "path Glob",
        "path List",
        "factors 1",
        "factors 2",
        "factors 3",
        "latest",
        "dedupe",
        "lines",
        "orders told apart by two columns",
        "returns of positive amounts",
        "money alone",
        "guests",
        "slices",
        "only",
        "returns",
        "extra lookbacks",
        "levels in a scheme",
        "a scheme over measures",
        "keep In",
        "keep NotIn",
        "keep Min",
        "keep Max",
        "keep Above",
        "keep Below",
        "keep StartsWith",
        "keep NotNull",
        "outcome duplicate",
        "outcome superseded",
        "outcome filtered:status",
        "outcome zero",
        "outcome no_customer",
        "outcome rejected:null_date",
        "outcome rejected:null_amount",
        "outcome rejected:non_finite_amount",
        "outcome rejected:null_slice",
        "outcome rejected:null_order_id",
        "outcome after_as_of",
        "outcome kept",
        "an empty date",
        "exit 3: no kept order on or before the last as-of date",
        "exit 3: more rejected rows than max_rejected",
        "exit 3: more rows without customer than max_no_customer",
    ];
    for text in must {
        assert!(seen.get(text).is_some_and(|n| *n >= 3), "{text} is missing: {:?}", seen.get(text));
    }
}
