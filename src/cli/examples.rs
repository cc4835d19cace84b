//! What `rfmill COMMAND --help` ends with: lines that run as they stand, and are not wrapped in 100 columns. `tests/examples.rs` runs them.

pub(super) const QUICKSTART: &str = "\
Examples:
  rfmill quickstart
  rfmill quickstart shop --orders 100000";

pub(super) const INIT: &str = "\
Examples:
  rfmill init shop-orders --output first.toml
  rfmill init shop-orders/*.parquet --output second.toml --as-of 2024-05-31 --yes";

pub(super) const RUN: &str = "\
Examples:
  rfmill run job.toml --dry-run
  rfmill run job.toml
  rfmill run job.toml --as-of 2024-05-31 --quiet --format json
  rfmill run job.toml --output berlin --set orders.timezone=Europe/Berlin
  rfmill run job.toml --memory-limit 2GiB --threads 4";

pub(super) const OPEN: &str = "\
Examples:
  rfmill open out
  BROWSER=firefox rfmill open out

BROWSER names the browser, or several with colons between them. Without one the path of the page is printed.";

pub(super) const CHECK: &str = "\
Examples:
  rfmill check job.toml
  rfmill check job.toml --set orders.timezone=Europe/Berlin";

pub(super) const EXPLAIN: &str = "\
Examples:
  rfmill explain job.toml
  rfmill explain job.toml --as-of 2024-05-31 --format json";

pub(super) const SAMPLE: &str = "\
Examples:
  rfmill sample orders-big --orders 200000 --customers 20000
  rfmill sample orders-mail --orders 100000 --strategy mail --effect 0.1 --strategy-from 2024-07-01";

pub(super) const ASSIGN: &str = "\
Examples:
  rfmill assign out --from segment=\"At Risk\" --job job.toml --find 10%
  rfmill assign out --from segment=\"At Risk\" --name winback --salt w1 --holdout 0.2 -o winback.csv
  rfmill assign out --from lifecycle --name mail --salt m1 --arms control=0.5,mail=0.5 -o mail.csv";

pub(super) const VERIFY: &str = "\
Examples:
  rfmill verify out
  rfmill verify out --repair";

pub(super) const DROP: &str = "\
Examples:
  rfmill drop out --as-of 2024-05-31";

pub(super) const FORGET: &str = "\
Examples:
  rfmill forget out --ids ids.txt";

pub(super) const TABLES: &str = "\
Examples:
  rfmill tables out
  rfmill tables out customers > customers.arrows";

pub(super) const LOAD: &str = "\
Examples:
  PGPASSWORD=secret rfmill load out --to 'postgres://analyst@127.0.0.1:5432/shop?sslmode=disable'";

pub(super) const SCHEMA: &str = "\
Examples:
  rfmill schema > job.schema.json
  rfmill schema --tables job.toml
  rfmill schema --tables job.toml --format dbt";

pub(super) const COMPLETIONS: &str = "\
Examples:
  rfmill completions bash > rfmill.bash
  rfmill completions zsh > _rfmill";

pub(super) const MAN: &str = "\
Examples:
  rfmill man run | man -l -
  rfmill man --output man1";
