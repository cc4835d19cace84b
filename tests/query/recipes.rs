//! The recipes of docs/QUERY.md, as they stand there, on small data whose results are worked by hand.

use std::fs;
use std::path::Path;

use super::{customers, has_program, rows};
use crate::fixture::{Bench, floats, texts};
use arrow::array::ArrayRef;

/// The job of the recipe under this heading, in a folder of its own.
fn recipe(heading: &str) -> Bench {
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/QUERY.md")).expect("docs/QUERY.md");
    let section =
        docs.split("\n### ").find(|section| section.starts_with(heading)).unwrap_or_else(|| panic!("no recipe {heading}"));
    let job = section.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a job file");
    let lines = job.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 25, "{heading}: {lines} lines");
    let bench = Bench::empty();
    bench.write("job.toml", format!("{job}\n[output]\npath = \"out\"\n"));
    bench
}

/// Order 1001 has its money on the first of two rows, 1002 is refunded, 1003 is a guest's, 1005 is voided; a late evening of UTC is the
/// next day in Berlin.
#[test]
fn a_shop_export() {
    if !has_program() {
        return;
    }
    let bench = recipe("A shop's export");
    bench.write(
        "orders_export_1.csv",
        "Name,Email,Financial Status,Total,Created at,Lineitem name\n\
         #1001,a@example.org,paid,65.00,2024-04-05 23:30:00 +0200,Tea\n\
         #1001,,,,2024-04-05 23:30:00 +0200,\"Cup, blue\"\n\
         #1002,b@example.org,refunded,35.00,2024-04-06 00:30:00 +0200,Pot\n",
    );
    bench.write(
        "orders_export_2.csv",
        "Name,Email,Financial Status,Total,Created at,Lineitem name\n\
         #1003,,paid,12.00,2024-04-07 10:00:00 +0200,Tin\n\
         #1004,a@example.org,paid,10.00,2024-05-07 22:30:00 +0000,Tin\n\
         #1005,c@example.org,voided,99.00,2024-05-08 10:00:00 +0200,Set\n",
    );
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("a@example.org", 2, 7_500)]));
    let table = crate::support::run::read_folder(&bench.path("out/latest/customers"));
    let days: Vec<String> = ["first_order", "last_order"].iter().map(|name| table.rows[0][table.column(name)].key()).collect();
    assert_eq!(days, ["2024-04-05", "2024-05-08"]);
    assert_eq!(
        bench.table("ledger.parquet"),
        [
            ["orders.query", "kept", "2", "75.00"],
            ["orders.query", "no_customer", "1", "12.00"],
            ["orders_export_1.csv", "source", "3", "null"],
            ["orders_export_2.csv", "source", "3", "null"]
        ]
    );
}

#[test]
fn lines_with_their_headers() {
    if !has_program() {
        return;
    }
    let bench = recipe("Lines joined to their headers");
    bench.write("headers.csv", "order_id,customer,ordered_on\n1,ann,2024-03-01\n2,bob,2024-04-01\n3,ann,2024-05-01\n");
    bench.write("lines.csv", "order_id,product,quantity,price\n1,p,3,0.335\n1,q,1,2.00\n2,p,2,5.00\n3,r,1,1.00\n9,p,1,100.00\n");
    bench.write("products.csv", "product,category\np,tea\nq,cups\n");
    let ran = bench.runs();
    // 3 × 0.335 is 1.005, and half to even 1.00; order 9 has no header.
    assert_eq!(customers(&bench), rows(&[("ann", 2, 400), ("bob", 1, 1_000)]));
    assert!(!ran.err.contains("the same"), "no money repeats: {}", ran.err);
}

#[test]
fn one_person_with_several_ids() {
    if !has_program() {
        return;
    }
    let bench = recipe("One person, several ids");
    let days = crate::fixture::dates(["2024-01-05", "2024-02-05", "2024-03-05", "2024-04-05"]);
    let emails: ArrayRef =
        texts([Some("Ana@Shop.example"), Some(" ana@shop.example"), Some("ana.b@mail.example"), Some("cem@x.example")]);
    bench.parquet("orders.parquet", &[("email", emails), ("ordered_at", days), ("amount", floats([10.0, 20.0, 30.0, 5.5]))]);
    bench.write("id_map.csv", "email,person\nana@shop.example,ana\nana.b@mail.example,ana\n");
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("ana", 3, 6_000), ("cem@x.example", 1, 550)]));
}

#[test]
fn a_german_file() {
    if !has_program() {
        return;
    }
    let bench = recipe("A German CSV file");
    let mut text: Vec<u8> = b"Kunde;Datum;Betrag\r\nM\xfcller;31.05.2024;1.234,50\r\n".to_vec();
    text.extend_from_slice(b"M\xfcller;01.02.2024;-34,5\r\n\"Gro\xdf; Co\";29.02.2024;7\r\n");
    bench.write("umsatz.csv", &text);
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("Groß; Co", 1, 700), ("Müller", 1, 120_000)]));
}

#[test]
fn a_chinese_file() {
    if !has_program() {
        return;
    }
    let bench = recipe("A Chinese CSV file");
    // 会员号,下单时间,金额_分,状态 / 张三,2024-05-01,1999,已完成 / 张三,2024-05-02,1,已完成 / 李四,2024-05-03,500,已取消
    let text: &[u8] = b"\xbb\xe1\xd4\xb1\xba\xc5,\xcf\xc2\xb5\xa5\xca\xb1\xbc\xe4,\xbd\xf0\xb6\xee_\xb7\xd6,\xd7\xb4\xcc\xac\n\
        \xd5\xc5\xc8\xfd,2024-05-01,1999,\xd2\xd1\xcd\xea\xb3\xc9\n\
        \xd5\xc5\xc8\xfd,2024-05-02,1,\xd2\xd1\xcd\xea\xb3\xc9\n\
        \xc0\xee\xcb\xc4,2024-05-03,500,\xd2\xd1\xc8\xa1\xcf\xfb\n";
    bench.write("订单.csv", text);
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("张三", 2, 2_000)]));
}
