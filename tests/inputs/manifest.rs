//! Inputs that are held against a list of hashes.

use std::fs;
use std::process::Command;

use rfmill::internals::hash::sha256;

use crate::fixture::{Bench, Ran, ints, orders, orders_but, texts};

/// A bench whose orders have a list of hashes.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.parquet("orders/b.parquet", &orders_but("customer_id", ints([6, 7, 8, 9, 6, 7, 8, 9])));
    list(&bench);
    bench.in_orders("manifest = \"orders/SHA256SUMS\"");
    bench
}

/// Writes the list anew.
fn list(bench: &Bench) {
    let line = |name: &str| format!("{}  {name}\n", sha256(&bench.read(&format!("orders/{name}"))));
    bench.write("orders/SHA256SUMS", line("a.parquet") + &line("b.parquet"));
}

fn manifest(bench: &Bench) -> serde_json::Value {
    serde_json::from_slice(&bench.read("out/latest/manifest.json")).unwrap()
}

/// A refusal with this message, in which `{a}` stands for the hash of the first file as it is.
#[track_caller]
fn refuses(bench: &Bench, message: &str) {
    bench.refuses(4, &message.replace("{a}", &sha256(&bench.read("orders/a.parquet"))));
}

#[test]
fn what_sha256sum_writes_is_a_manifest() {
    let bench = bench();
    let script = "sha256sum *.parquet > SHA256SUMS";
    let made = Command::new("sh").args(["-c", script]).current_dir(bench.path("orders")).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no sha256sum");
        return;
    }
    assert!(bench.runs().err.contains("input rows (verified by SHA-256)"));
}

#[test]
fn verified_runs_say_so_and_others_too() {
    let verified = bench();
    let ran = verified.runs();
    assert!(ran.err.contains("16 input rows (verified by SHA-256)"), "{}", ran.err);
    let json = manifest(&verified);
    assert_eq!(json["inputs_verified"], true);
    assert_eq!(json["inputs"][1]["file_sha256"], sha256(&verified.read("orders/b.parquet")));
    assert_eq!(
        json["input_manifests"],
        serde_json::json!([{
            "key": "orders.manifest",
            "file": "orders/SHA256SUMS",
            "sha256": sha256(&verified.read("orders/SHA256SUMS")),
        }])
    );
    let page = |bench: &Bench| String::from_utf8(bench.read("out/latest/report/index.html")).unwrap();
    assert!(page(&verified).contains("Inputs verified by SHA-256."));

    let unverified = Bench::new();
    let ran = unverified.runs();
    assert!(ran.err.contains("8 input rows (unverified)"), "{}", ran.err);
    assert!(!ran.err.contains("warning: inputs"), "it is a note: {}", ran.err);
    let json = manifest(&unverified);
    assert_eq!((&json["inputs_verified"], &json["input_manifests"]), (&false.into(), &serde_json::Value::Null));
    assert!(page(&unverified).contains("Inputs unverified."));
}

#[test]
fn another_list_is_another_run() {
    let bench = bench();
    let again = |ran: Ran| ran.err.contains("already computed");
    assert!(!again(bench.runs()));
    assert!(again(bench.runs()));
    let text = String::from_utf8(bench.read("orders/SHA256SUMS")).unwrap();
    bench.write("orders/SHA256SUMS", format!("# delivered on Monday\r\n\r\n{}", text.replace('\n', "\r\n")));
    assert!(!again(bench.runs()));
}

#[test]
fn a_changed_byte_is_found() {
    let bench = bench();
    bench.runs();
    // Changed in place, with size and time as before.
    let path = bench.path("orders/a.parquet");
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = bench.read("orders/a.parquet");
    let expected = sha256(&bytes);
    bytes[40] ^= 1;
    fs::write(&path, bytes).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
    let size = fs::metadata(&path).unwrap().len();
    refuses(
        &bench,
        &format!(
            "error: orders/a.parquet does not have the hash that it should: SHA-256 of its {size} bytes is {{a}}, and orders/SHA256SUMS, line 1 (orders.manifest) says {expected}; deliver the file again, or write the list again if the file is right."
        ),
    );
}

#[test]
fn the_list_and_the_files_must_be_the_same() {
    let bench = bench();
    bench.runs();
    bench.parquet("orders/c.parquet", &orders());
    refuses(
        &bench,
        "error: orders/c.parquet is not in the list of hashes orders/SHA256SUMS (orders.manifest); write the list again with all files, or take the file out of orders.path.",
    );
    fs::remove_file(bench.path("orders/c.parquet")).unwrap();
    fs::remove_file(bench.path("orders/b.parquet")).unwrap();
    refuses(
        &bench,
        "error: orders/SHA256SUMS, line 2 (orders.manifest): the listed file orders/b.parquet does not exist; deliver what is missing, or write the list again.",
    );
    fs::remove_file(bench.path("orders/SHA256SUMS")).unwrap();
    refuses(
        &bench,
        "error: cannot read the list of hashes orders/SHA256SUMS (orders.manifest): No such file or directory (os error 2); check the file and its permissions.",
    );
}

#[test]
fn a_list_that_is_none_is_refused() {
    let bench = bench();
    bench.runs();
    bench.write("orders/SHA256SUMS", "d41d8cd98f00b204e9800998ecf8427e  a.parquet\n");
    refuses(
        &bench,
        "error: orders/SHA256SUMS, line 1 (orders.manifest): \"d41d8cd98f00b204e9800998ecf8427e  a.parquet\" is not a hash of 64 hexadecimal digits, two blanks and a path; write the list with: sha256sum *.parquet > SHA256SUMS.",
    );
    let zeros = "0".repeat(64);
    let right = sha256(&bench.read("orders/a.parquet"));
    bench.write("orders/SHA256SUMS", format!("{right}  a.parquet\n{zeros}  ./a.parquet\n"));
    refuses(
        &bench,
        "error: orders/SHA256SUMS (orders.manifest) gives orders/./a.parquet two hashes, in lines 1 and 2; write the list again.",
    );
    bench.edit("orders/SHA256SUMS", "orders");
    refuses(
        &bench,
        "error: cannot read the list of hashes orders (orders.manifest): it is not a regular file; check the file and its permissions.",
    );
}

/// Only if all that a run reads is listed are its inputs verified.
#[test]
fn every_input_counts() {
    let bench = bench();
    bench.parquet("crm.parquet", &[("id", ints([1, 2])), ("region", texts(["a", "b"]))]);
    bench.append("[customers]\npath = \"crm.parquet\"\ncustomer_id = \"id\"");
    bench.write(
        "mail.csv",
        "customer_id,arm,assigned_on\n1,mail,2024-10-05\n2,control,2024-10-05\n3,mail,2024-10-05\n4,control,2024-10-05\n",
    );
    bench.append("[[strategy]]\nname = \"mail\"\ndesign = \"randomised\"\nassignments = \"mail.csv\"\ncontrol = \"control\"\nsplit = { control = 0.5, mail = 0.5 }\nperiods = [{ from = 2024-10-01, to = 2024-12-31 }]");
    bench.runs();
    assert_eq!(manifest(&bench)["inputs_verified"], false);
    let line = |name: &str| format!("{}  {name}\n", sha256(&bench.read(name)));
    bench.write("hashes", line("crm.parquet") + &line("mail.csv"));
    bench.edit("[customers]\n", "[customers]\nmanifest = \"hashes\"\n");
    bench.runs();
    assert_eq!(manifest(&bench)["inputs_verified"], false);
    bench.edit("[[strategy]]\n", "[[strategy]]\nmanifest = \"hashes\"\n");
    bench.runs();
    let json = manifest(&bench);
    assert_eq!(json["inputs_verified"], true);
    assert_eq!(json["input_manifests"].as_array().unwrap().len(), 3);
    assert_eq!(json["assignments"][0]["files"][0]["file_sha256"], sha256(&bench.read("mail.csv")));
    bench.write("mail.csv", "customer_id,arm,assigned_on\n1,control,2024-10-05\n");
    bench.refuses(4, "error: mail.csv does not have the hash that it should: SHA-256 of its … bytes is …, and hashes, line 2 (strategy.manifest) says …; deliver the file again, or write the list again if the file is right.");
}
