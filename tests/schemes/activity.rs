//! Ladders that speak of activity keep what they say: the further down, the fewer buy within the next 90 days.

use std::collections::BTreeMap;

use super::shops::Shop;
use rfmill::internals::scheme::builtin_text;

/// Schemes whose ladders speak of activity, without the rungs that speak of something else: `slowing` compares two halves of a
/// year, and those who slow down from many orders still buy more often than others. Prospects are of no shop here.
const LADDERS: [(&str, &[&str]); 6] = [
    ("recency_windows", &[]),
    ("journey", &[]),
    ("simple_lifecycle", &["prospect"]),
    ("loyalty", &[]),
    ("churn_warning", &["slowing"]),
    ("cadence", &[]),
];

/// By how much a share may exceed that of the rung above.
const SLACK: f64 = 0.03;

/// The share of fewer customers is a matter of chance: of 200 it is known to ±3.5 points at best.
const LEAST: usize = 200;

fn ladder(scheme: &str) -> Vec<String> {
    let file: toml::Table = builtin_text(scheme).expect("a scheme").parse().expect("TOML");
    file["ladder"].as_array().expect("a ladder").iter().map(|rung| rung.as_str().expect("a state").to_owned()).collect()
}

/// Asserts that shares fall down every ladder, and that at least this many pairs of rungs were compared.
fn shares_fall(shop: &Shop, least_pairs: usize) {
    let schemes = LADDERS.map(|(scheme, _)| (scheme, scheme));
    let customers = shop.customers(&["lifetime_orders"], &schemes);
    let mut pairs = 0;
    for (scheme, others) in LADDERS {
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for customer in &customers {
            let (all, buyers) = counts.entry(&customer.states[scheme]).or_default();
            (*all, *buyers) = (*all + 1, *buyers + usize::from(customer.buys));
        }
        let ladder = ladder(scheme);
        assert!(others.iter().all(|other| ladder.iter().any(|rung| rung == other)), "{scheme}");
        let rungs = ladder.iter().filter(|rung| !others.contains(&rung.as_str()));
        let shares: Vec<(&str, f64)> = rungs
            .filter_map(|rung| Some((rung.as_str(), counts.get(rung.as_str())?)))
            .filter(|(_, (all, _))| *all >= LEAST)
            .map(|(rung, (all, buyers))| (rung, *buyers as f64 / *all as f64))
            .collect();
        for pair in shares.windows(2) {
            pairs += 1;
            assert!(pair[1].1 <= pair[0].1 + SLACK, "{scheme}: {shares:?}");
        }
    }
    assert!(pairs >= least_pairs, "{pairs} pairs of rungs");
}

#[test]
fn of_a_grocer() {
    shares_fall(&Shop::grocer(), 18);
}

#[test]
fn of_a_furniture_shop() {
    shares_fall(&Shop::furniture(), 16);
}

#[test]
fn of_a_shop_at_christmas() {
    shares_fall(&Shop::christmas(), 5);
}

#[test]
fn of_a_shop_91_days_old() {
    shares_fall(&Shop::young(), 3);
}

#[test]
fn of_cdnow() {
    if let Some(shop) = Shop::cdnow() {
        shares_fall(&shop, 18);
    }
}

#[test]
fn of_online_retail() {
    if let Some(shop) = Shop::online_retail() {
        shares_fall(&shop, 13);
    }
}
