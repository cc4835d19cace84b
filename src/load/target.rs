//! Where to load: the URL of `--to`, the password from where passwords belong, and TLS.
//!
//! A message never shows the URL, since it may hold a password; it shows [`Target::place`].

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use postgres::Config;
use postgres::config::{Host, SslMode};

use crate::error::{Error, Result};

/// The schema, unless the URL names one.
const DEFAULT_SCHEMA: &str = "rfmill";

const FORM: &str = "expected postgres://user@host:5432/database, with ?sslmode=, schema= and further parameters if need be; in a password, @ : / ? & # and % are written as %40 %3A %2F %3F %26 %23 and %25";

/// Parameters of the URL that the client library reads.
const PARAMETERS: [&str; 10] = [
    "host",
    "port",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "options",
    "application_name",
    "channel_binding",
    "target_session_attrs",
];

/// How much TLS; the words are those of libpq.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    Disable,
    /// If the server offers it; whose server it is stays unchecked.
    Prefer,
    /// Always; whose server it is stays unchecked.
    Require,
    /// Always, and the certificate must be good for the host.
    VerifyFull,
}

/// A database and a schema in it.
#[derive(Clone)]
pub struct Target {
    /// How to connect.
    pub config: Config,
    /// How much TLS.
    pub tls: TlsMode,
    /// File of the certificates to trust instead of the system's.
    pub root_certificates: Option<PathBuf>,
    /// The schema that holds the tables.
    pub schema: String,
}

impl Target {
    /// Reads the URL, and adds the password of `PGPASSWORD` or the password file if it has none. The second value warns
    /// of a password file that is not used.
    ///
    /// # Errors
    /// Exit 2 for a URL that cannot be understood; the message does not repeat it.
    pub fn parse(url: &str) -> Result<(Target, Option<String>)> {
        let unreadable = || Error::usage(format!("the URL of --to cannot be understood; {FORM}"));
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        if !(address.starts_with("postgres://") || address.starts_with("postgresql://")) {
            return Err(unreadable());
        }
        let (mut tls, mut root_certificates, mut schema) = (TlsMode::Prefer, None, DEFAULT_SCHEMA.to_owned());
        let mut others: Vec<&str> = Vec::new();
        for parameter in query.split('&').filter(|p| !p.is_empty()) {
            let (key, value) = parameter.split_once('=').ok_or_else(unreadable)?;
            match key {
                "sslmode" => tls = tls_mode(value)?,
                "sslrootcert" => root_certificates = Some(PathBuf::from(decoded(value).ok_or_else(unreadable)?)),
                "schema" => schema = decoded(value).filter(|s| !s.is_empty()).ok_or_else(unreadable)?,
                // Not shown: an unknown key may be the end of a password with a question mark.
                _ if !PARAMETERS.contains(&key) => {
                    return Err(Error::usage(format!(
                        "the URL of --to has a parameter that is none of sslmode, sslrootcert, schema, {}; correct or remove it, and write a ? within a password as %3F",
                        PARAMETERS.join(", ")
                    )));
                }
                _ => others.push(parameter),
            }
        }
        if schema.len() > 63 || schema.starts_with("pg_") {
            return Err(Error::usage(format!(
                "the URL of --to names the schema {schema:?}; expected a name of at most 63 bytes that does not begin with pg_"
            )));
        }
        if root_certificates.is_some() && tls != TlsMode::VerifyFull {
            return Err(Error::usage(
                "the URL of --to has sslrootcert, but only sslmode=verify-full looks at certificates; add it or leave sslrootcert out",
            ));
        }
        let address = if others.is_empty() { address.to_owned() } else { format!("{address}?{}", others.join("&")) };
        let mut config = Config::from_str(&address).map_err(|_| unreadable())?;
        // What looks like a host with an @ is the end of a password.
        if config.get_hosts().is_empty() || config.get_hosts().iter().any(|h| matches!(h, Host::Tcp(name) if name.contains('@')))
        {
            return Err(unreadable());
        }
        config.ssl_mode(match tls {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyFull => SslMode::Require,
        });
        if config.get_application_name().is_none() {
            config.application_name("rfmill");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(std::time::Duration::from_secs(30));
        }
        if config.get_user().is_none()
            && let Some(user) = std::env::var("PGUSER").ok().filter(|u| !u.is_empty())
        {
            config.user(&user);
        }
        let mut warning = None;
        if config.get_password().is_none() {
            match std::env::var("PGPASSWORD").ok().filter(|p| !p.is_empty()) {
                Some(password) => drop(config.password(password)),
                None => warning = from_password_file(&mut config),
            }
        }
        Ok((Target { config, tls, root_certificates, schema }, warning))
    }

    /// `user@host:port/database`, for messages.
    pub fn place(&self) -> String {
        let host = self.config.get_hosts().first().map_or_else(String::new, host_name);
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        let user = self.config.get_user().map_or_else(String::new, |user| format!("{user}@"));
        let database = self.config.get_dbname().or(self.config.get_user()).unwrap_or_default();
        format!("{user}{host}:{port}/{database}")
    }

    /// Whether the server is on this machine.
    pub fn is_local(&self) -> bool {
        self.config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
            Host::Unix(_) => true,
        })
    }
}

fn host_name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    }
}

fn tls_mode(value: &str) -> Result<TlsMode> {
    const MODES: [(&str, TlsMode); 4] = [
        ("disable", TlsMode::Disable),
        ("prefer", TlsMode::Prefer),
        ("require", TlsMode::Require),
        ("verify-full", TlsMode::VerifyFull),
    ];
    MODES.iter().find(|(name, _)| *name == value).map(|(_, mode)| *mode).ok_or_else(|| {
        Error::usage("the URL of --to has an unknown sslmode; it is one of disable, prefer, require and verify-full")
    })
}

/// Text without its percent signs; `None` if that is no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, left) = match (first, tail) {
            (b'%', [high, low, left @ ..]) => {
                let digits = [*high, *low];
                (u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?, left)
            }
            (b'%', _) => return None,
            _ => (*first, tail),
        };
        bytes.push(byte);
        rest = left;
    }
    String::from_utf8(bytes).ok()
}

/// Takes the password from `PGPASSFILE` or `~/.pgpass`; returns a warning if others can read that file.
fn from_password_file(config: &mut Config) -> Option<String> {
    let path = match std::env::var_os("PGPASSFILE") {
        Some(path) => PathBuf::from(path),
        None => Path::new(&std::env::var_os("HOME")?).join(".pgpass"),
    };
    let text = fs::read_to_string(&path).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(&path).ok()?.permissions().mode() & 0o077 != 0 {
            return Some(format!("{} is not used, since others may read it; run chmod 600 on it", path.display()));
        }
    }
    let host = match config.get_hosts().first()? {
        Host::Tcp(name) => name.clone(),
        Host::Unix(_) => "localhost".into(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let user = config.get_user()?.to_owned();
    let database = config.get_dbname().unwrap_or(&user).to_owned();
    let password = text.lines().find_map(|line| password_of(line, [&host, &port, &database, &user]))?;
    config.password(password);
    None
}

/// The password of a line `host:port:database:user:password`, if that is about this connection.
fn password_of(line: &str, wanted: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut()?.extend(letters.next()),
            _ => fields.last_mut()?.push(letter),
        }
    }
    let matching = fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
    fields.pop().filter(|_| matching && fields.len() == 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let (target, _) = Target::parse("postgres://ann:p%40ss@db.example:5433/shop?sslmode=verify-full&schema=crm%20x").unwrap();
        assert_eq!((target.tls, target.schema.as_str()), (TlsMode::VerifyFull, "crm x"));
        assert_eq!(target.place(), "ann@db.example:5433/shop");
        assert_eq!(target.config.get_password(), Some(&b"p@ss"[..]));
        assert!(!target.is_local());
        let (target, _) = Target::parse("postgresql://ann:x@127.0.0.1?connect_timeout=3").unwrap();
        assert_eq!(
            (target.tls, target.schema.as_str(), target.place().as_str()),
            (TlsMode::Prefer, "rfmill", "ann@127.0.0.1:5432/ann")
        );
        assert!(target.is_local());
        let (target, _) = Target::parse("postgres://ann:x@/shop?host=/run/postgresql").unwrap();
        assert_eq!(target.place(), "ann@/run/postgresql:5432/shop");
    }

    #[test]
    fn no_message_shows_a_password() {
        for url in [
            "secret",
            "mysql://ann:secret@db/x",
            "postgres://ann:se@secret@db/x",
            "postgres://ann:x?secret@db/x",
            "postgres://ann:secret@db:port/x",
            "postgres://ann:x@db/x?secret",
            "postgres://ann:x@db/x?secret=1",
            "postgres://ann:x@db/x?sslmode=secret",
            "postgres://ann:secret@/x",
            "postgres://ann:x@db/x?schema=%secret",
        ] {
            let error = Target::parse(url).err().map(|e| e.to_string()).unwrap_or_else(|| panic!("{url} was accepted"));
            assert!(!error.contains("secret"), "{url}: {error}");
        }
    }

    #[test]
    fn password_files_are_read_as_libpq_does() {
        let wanted = ["db", "5432", "shop", "ann"];
        assert_eq!(password_of("db:5432:shop:ann:secret", wanted).as_deref(), Some("secret"));
        assert_eq!(password_of("*:*:*:ann:a\\:b\\\\c:d", wanted).as_deref(), Some("a:b\\c:d"));
        assert_eq!(password_of("db:5432:shop:bob:secret", wanted), None);
        assert_eq!(password_of("# db:5432:shop:ann:secret", wanted), None);
        assert_eq!(password_of("db:5432:shop", wanted), None);
    }
}
