//! Whether the orders look as those of a shop.

use std::collections::{HashMap, HashSet};

use super::support::{DAY_MICROS, Read, date_of_epoch, read_all, sample, share, spec};

#[test]
fn orders_look_as_those_of_a_shop() {
    let (_folder, summary) = sample(&spec(200_000));
    let rows = read_all(&summary);
    let mut orders: HashMap<i64, Vec<&Read>> = HashMap::new();
    let mut bought: HashMap<&str, HashSet<i64>> = HashMap::new();
    for row in &rows {
        orders.entry(row.order).or_default().push(row);
        if let Some(customer) = row.customer.as_deref().filter(|_| row.amount > Some(0)) {
            bought.entry(customer).or_default().insert(row.order);
        }
    }

    let once = bought.values().filter(|orders| orders.len() == 1).count();
    let one_time = share(once, bought.len());
    assert!((0.2..0.6).contains(&one_time), "{one_time} buy once");
    let often = bought.values().map(HashSet::len).max().unwrap();
    assert!((50..2_000).contains(&often), "somebody buys {often} times");

    let guests = orders.values().filter(|lines| lines[0].customer.is_none());
    let guests = guests.count();
    assert_eq!(guests as u64, summary.guest_orders);
    assert!((0.025..0.035).contains(&share(guests, orders.len())));
    assert_eq!(summary.returns, 8_000);

    let several: Vec<_> = orders.values().filter(|lines| lines.len() > 1).collect();
    assert!((0.09..0.15).contains(&share(several.len(), orders.len())));
    for lines in several {
        let categories: HashSet<&str> = lines.iter().map(|line| line.category.as_str()).collect();
        assert_eq!(categories.len(), lines.len());
        assert!(lines.iter().all(|line| line.at == lines[0].at && line.status == lines[0].status));
    }

    let values = |of: fn(&Read) -> &str| rows.iter().map(of).collect::<HashSet<&str>>().len();
    assert_eq!(values(|row| &row.category), 6);
    assert_eq!(values(|row| &row.region), 5);
    assert_eq!(values(|row| &row.status), 4);
    let discounted = rows.iter().filter(|row| row.discount > 0).count();
    assert!((0.1..0.3).contains(&share(discounted, rows.len())));
    let (paid, cost) = rows.iter().fold((0, 0), |(paid, cost), row| (paid + row.amount.unwrap(), cost + row.cost));
    assert!((0.5..0.75).contains(&share(cost as usize, paid as usize)));
}

#[test]
fn demand_has_seasons() {
    let (_folder, summary) = sample(&spec(200_000));
    let mut by_month = [0_usize; 24];
    let mut by_weekday = [0_usize; 7];
    for at in read_all(&summary).iter().filter_map(|row| row.at) {
        let day = date_of_epoch().saturating_add(jiff::Span::new().days(at / DAY_MICROS));
        by_month[(day.year() as usize - 2023) * 12 + day.month() as usize - 1] += 1;
        by_weekday[day.weekday().to_sunday_zero_offset() as usize] += 1;
    }
    for year in by_month.chunks(12) {
        assert!(year[10] as f64 > 1.3 * year[8] as f64, "{by_month:?}");
        assert!(year[11] as f64 > 1.2 * year[9] as f64, "{by_month:?}");
    }
    assert!(by_month[12] < by_month[11], "{by_month:?}");
    assert!(by_weekday[0] as f64 > 1.1 * by_weekday[6] as f64, "{by_weekday:?}");
}

#[test]
fn a_customer_keeps_region_and_comes_back_after_arriving() {
    let (_folder, summary) = sample(&spec(20_000));
    let mut regions: HashMap<String, String> = HashMap::new();
    let mut newest = 0;
    for row in read_all(&summary) {
        let Some(customer) = row.customer else {
            continue;
        };
        let region = regions.entry(customer.clone()).or_insert(row.region.clone());
        assert_eq!(*region, row.region);
        newest = newest.max(customer.parse::<u64>().unwrap());
        // Ids ascend with arrival, so at any time the seen ones are about the lowest ones.
        assert!(newest < regions.len() as u64 + 200);
    }
}
