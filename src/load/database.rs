//! Connections, the lock that keeps two loads apart, and what the server's errors mean for the user.

use std::error::Error as _;

use postgres::error::SqlState;
use postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::target::Target;
use super::tls;
use crate::error::{Error, Kind, Result};

/// A target that can be connected to, many times.
pub struct Database {
    /// The target.
    pub target: Target,
    tls: Option<MakeRustlsConnect>,
}

impl Database {
    /// Prepares connections.
    ///
    /// # Errors
    /// Exit 2 if there are no certificates to trust.
    pub fn new(target: Target) -> Result<Database> {
        let tls = tls::connector(&target)?;
        Ok(Database { target, tls })
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// Exit 2 if the server does not let this user in, 6 if it cannot be reached.
    pub fn connect(&self) -> Result<Client> {
        let connected = match &self.tls {
            Some(tls) => self.target.config.connect(tls.clone()),
            None => self.target.config.connect(NoTls),
        };
        let mut client = connected.map_err(|e| self.failed("connect", e))?;
        // Lets the server notice that we were killed while it works for us. Servers before 14, or on systems that cannot
        // tell, do not know it, and do without.
        let _ = client.batch_execute("SET client_connection_check_interval = '2s'");
        Ok(client)
    }

    /// Takes the lock of the schema for as long as the connection lives.
    ///
    /// # Errors
    /// Exit 8 if another load has it.
    pub fn lock(&self, client: &mut Client) -> Result<()> {
        let hash = crate::hash::sha256(format!("rfmill load {}", self.target.schema).as_bytes());
        // The lock's key is a number; 60 bits of the hash.
        let key = i64::from_str_radix(hash.get(..15).unwrap_or_default(), 16)
            .map_err(|e| Error::bug(format!("the hash {hash:?} is no number: {e}")).caused_by(e))?;
        let taken = client
            .query_one("SELECT pg_try_advisory_lock($1)", &[&key])
            .and_then(|row| row.try_get::<_, bool>(0))
            .map_err(|e| self.failed("lock the schema", e))?;
        if taken {
            return Ok(());
        }
        Err(Error::new(
            Kind::Locked,
            format!(
                "another load is writing the schema {} of {}; wait for it to end and run again",
                self.target.schema,
                self.target.place()
            ),
        ))
    }

    /// Whether a connection is encrypted, as far as the server knows.
    pub fn is_encrypted(&self, client: &mut Client) -> bool {
        let row = client.query_opt("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]);
        row.ok().flatten().and_then(|row| row.try_get(0).ok()).unwrap_or(false)
    }

    /// A failed step as a sentence: what was tried, where, what the server says and what to do.
    pub fn failed(&self, tried: &str, error: postgres::Error) -> Error {
        let (kind, advice) = judge(&error);
        Error::new(
            kind,
            format!(
                "{}: cannot {tried}: {}; {advice}. The rows of the last load are untouched",
                self.target.place(),
                cause(&error)
            ),
        )
        .caused_by(error)
    }
}

/// What happened, without the values that a server's details may hold.
pub fn cause(error: &postgres::Error) -> String {
    if let Some(answer) = error.as_db_error() {
        return answer.message().trim_end_matches('.').to_owned();
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text.trim_end_matches('.').to_owned()
}

/// Who must act, and how.
fn judge(error: &postgres::Error) -> (Kind, &'static str) {
    let Some(code) = error.code() else {
        // The crate keeps the kinds of its own errors to itself; these two are the user's to correct.
        let text = error.to_string();
        if text.starts_with("error performing TLS handshake") {
            return (Kind::Usage, "check sslmode and sslrootcert of --to and the server's certificate");
        }
        if text.starts_with("invalid configuration") || text.starts_with("authentication error") {
            return (Kind::Usage, "give the password in PGPASSWORD or ~/.pgpass, and check the URL of --to");
        }
        return (Kind::Output, "check that the server runs and can be reached, then load again");
    };
    if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        return (Kind::Usage, "check the user of --to, its password in PGPASSWORD or ~/.pgpass, and what pg_hba.conf allows");
    }
    if *code == SqlState::INVALID_CATALOG_NAME {
        return (Kind::Usage, "create the database or name another one in --to");
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return (Kind::Output, "grant the user CREATE on the database (for a new schema), or make it the owner of the schema");
    }
    if *code == SqlState::UNTRANSLATABLE_CHARACTER {
        return (Kind::Output, "use a database with the encoding UTF8");
    }
    match code.code().get(..2) {
        Some("53") => (Kind::Resource, "free what the server lacks, then load again"),
        Some("55") => (Kind::Locked, "wait for what holds the tables, then load again"),
        _ => (Kind::Output, "see the server's log, then load again"),
    }
}
