//! Objects of Amazon S3, Google Cloud Storage and Azure Blob Storage, and of what speaks like them.
//!
//! `object_store` signs and repeats requests. A bucket has one client per process, made when it is first asked for, with what the
//! environment says: the variables `AWS_…`, `GOOGLE_…` and `AZURE_…`, the files of Amazon's command line, or the machine itself.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::path::Path;
use object_store::{BackoffConfig, ClientConfigKey, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig};

use super::coalesce::{pieces, spans};
use super::credentials;
use super::fault::{Fault, ReadError};
use super::runtime::wait_for;
use super::state::{FileState, Version};

/// The schemes of places in object stores.
pub const SCHEMES: [&str; 4] = ["s3", "s3a", "gs", "az"];

/// Requests of one reader at a time.
const PARALLEL: usize = 8;

/// How long a small request may take before it is repeated.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What is wrong with an address that has a secret, and what to do.
pub const SECRET: (&str, &str) = (
    "the place has a password before an @, or a query behind its key",
    "write it as s3://bucket/key, and give credentials by the environment",
);

/// Most characters that an error repeats of a store's answer.
const MOST_ANSWER: usize = 300;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Service {
    Amazon,
    Google,
    Azure,
}

/// The place of an object, or of those whose keys begin with one: `s3://bucket/key`.
#[derive(Debug, Clone)]
pub struct ObjectUrl {
    service: Service,
    /// As it was written, which errors and manifests repeat. Two ways to write one place are equal.
    scheme: String,
    bucket: String,
    key: String,
}

impl ObjectUrl {
    fn identity(&self) -> (Service, &str, &str) {
        (self.service, &self.bucket, &self.key)
    }
}

impl PartialEq for ObjectUrl {
    fn eq(&self, other: &ObjectUrl) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for ObjectUrl {}

impl Hash for ObjectUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl Ord for ObjectUrl {
    fn cmp(&self, other: &ObjectUrl) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl PartialOrd for ObjectUrl {
    fn partial_cmp(&self, other: &ObjectUrl) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ObjectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_secret() {
            return write!(f, "{}://…", self.scheme);
        }
        write!(f, "{}://{}/{}", self.scheme, self.bucket, self.key)
    }
}

/// An object or a file of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key, or its name below the place that was listed.
    pub key: String,
    /// Its bytes.
    pub size: u64,
    /// Time of modification in nanoseconds since 1970.
    pub modified_ns: i128,
}

impl ObjectUrl {
    /// The place of a text such as `s3://bucket/key`; none if its scheme is not one of [`SCHEMES`], or it names no bucket.
    pub fn parse(text: &str) -> Option<ObjectUrl> {
        let (scheme, rest) = text.split_once("://")?;
        let service = match scheme.to_ascii_lowercase().as_str() {
            "s3" | "s3a" => Service::Amazon,
            "gs" => Service::Google,
            "az" => Service::Azure,
            _ => return None,
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let (scheme, bucket, key) = (scheme.to_owned(), bucket.to_owned(), key.trim_matches('/').to_owned());
        (!bucket.is_empty()).then_some(ObjectUrl { service, scheme, bucket, key })
    }

    /// Whether the place is written as an address with a password or a signature, which no message may repeat: something before
    /// an `@`, or `?name=` as a query begins. Other question marks are those of patterns.
    pub fn has_secret(&self) -> bool {
        let is_query = |rest: &str| {
            let name = rest.split_once('=').map(|(name, _)| name);
            name.is_some_and(|name| {
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            })
        };
        self.bucket.contains('@') || self.bucket.contains('?') || self.key.split('?').skip(1).any(is_query)
    }

    /// The key within the bucket.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The place of another key in the same bucket.
    #[must_use]
    pub fn with_key(&self, key: &str) -> ObjectUrl {
        ObjectUrl { key: key.to_owned(), ..self.clone() }
    }

    /// The place of a path below this one.
    #[must_use]
    pub fn join(&self, below: &str) -> ObjectUrl {
        let below = below.trim_matches('/');
        match self.key.is_empty() || below.is_empty() {
            true => self.with_key(&format!("{}{below}", self.key)),
            false => self.with_key(&format!("{}/{below}", self.key)),
        }
    }

    /// Its key below that of a folder of the same bucket.
    pub fn below(&self, folder: &ObjectUrl) -> Option<&str> {
        let is_in = self.service == folder.service && self.bucket == folder.bucket;
        let below = self.key.strip_prefix(folder.key.as_str()).filter(|_| is_in)?;
        if folder.key.is_empty() { Some(below) } else { below.strip_prefix('/') }
    }

    /// Whether there is an object below this key.
    pub fn has_objects_below(&self) -> Result<bool, ReadError> {
        let (store, prefix) = (self.store()?, self.prefix()?);
        let first = wait_for(async { store.list(prefix.as_ref()).next().await.transpose().map_err(|e| self.fault(e)) })?;
        Ok(first.is_some())
    }

    /// The objects whose keys begin with this one and a slash, ascending.
    pub fn list(&self) -> Result<Vec<Listed>, ReadError> {
        let (store, prefix) = (self.store()?, self.prefix()?);
        let listed = |meta: ObjectMeta| Listed { key: meta.location.to_string(), size: meta.size, modified_ns: ns_of(&meta) };
        let mut all: Vec<Listed> =
            wait_for(async { store.list(prefix.as_ref()).map_ok(listed).try_collect().await.map_err(|e| self.fault(e)) })?;
        all.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(all)
    }

    /// The names of the folders and objects right below this key.
    pub fn names_below(&self) -> Result<BTreeSet<String>, ReadError> {
        let (store, prefix) = (self.store()?, self.prefix()?);
        let found = wait_for(async { store.list_with_delimiter(prefix.as_ref()).await.map_err(|e| self.fault(e)) })?;
        let paths = found.common_prefixes.into_iter().chain(found.objects.into_iter().map(|meta| meta.location));
        Ok(paths.filter_map(|path| path.filename().map(str::to_owned)).collect())
    }

    /// The state of the object now.
    pub(super) fn state(&self) -> Result<FileState, ReadError> {
        let (store, path) = (self.store()?, self.path()?);
        let meta = wait_for(async { store.head(&path).await.map_err(|e| self.fault(e)) })?;
        Ok(FileState { size: meta.size, modified_ns: ns_of(&meta), version: Version::Object { tag: meta.e_tag } })
    }

    /// The bytes of some ranges of an object that is still in this state.
    pub(super) fn read(&self, state: &FileState, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadError> {
        let (store, path) = (self.store()?, self.path()?);
        let spans = spans(ranges);
        let get = async |range: Range<u64>| {
            let length = range.end - range.start;
            let options = GetOptions {
                range: Some(GetRange::Bounded(range.clone())),
                if_match: state.version.tag().map(str::to_owned),
                ..GetOptions::default()
            };
            let got = store.get_opts(&path, options).await.map_err(|e| self.fault(e).at(range.start))?;
            // A store that ignores the condition says which object it gave.
            if got.meta.size != state.size || got.meta.e_tag.as_deref() != state.version.tag() {
                return Err(ReadError::changed());
            }
            let bytes = got.bytes().await.map_err(|e| self.fault(e).at(range.start))?;
            if bytes.len() as u64 == length { Ok((range.start, bytes)) } else { Err(ReadError::shorter()) }
        };
        let requests: Vec<Range<u64>> = spans.iter().flat_map(pieces).collect();
        let got: Vec<(u64, Bytes)> = wait_for(async { stream::iter(requests).map(get).buffered(PARALLEL).try_collect().await })?;
        let read = joined(&spans, got);
        ranges.iter().map(|range| part(&read, range).ok_or_else(ReadError::shorter)).collect()
    }

    /// Whether both lie in one bucket.
    pub(super) fn is_in_bucket_of(&self, other: &ObjectUrl) -> bool {
        (self.service, &self.bucket) == (other.service, &other.bucket)
    }

    pub(super) fn path(&self) -> Result<Path, ReadError> {
        Path::parse(&self.key).map_err(|e| {
            ReadError::new(Fault::Failed, "its key is none that can be used", "take empty and dotted parts out of it")
                .caused_by(e)
        })
    }

    fn prefix(&self) -> Result<Option<Path>, ReadError> {
        if self.key.is_empty() { Ok(None) } else { self.path().map(Some) }
    }

    /// The client of the bucket for small requests, which reading is made of.
    fn store(&self) -> Result<Arc<dyn ObjectStore>, ReadError> {
        self.store_within(PATIENCE)
    }

    /// The client of the bucket for requests that may take this long.
    pub(super) fn store_within(&self, patience: Duration) -> Result<Arc<dyn ObjectStore>, ReadError> {
        if self.has_secret() {
            return Err(ReadError::new(Fault::Failed, SECRET.0, SECRET.1));
        }
        static CLIENTS: Mutex<Clients> = Mutex::new(BTreeMap::new());
        let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (self.service, self.bucket.clone(), patience);
        if let Some(client) = clients.get(&name) {
            return Ok(Arc::clone(client));
        }
        let client = client(self.service, &self.bucket, patience).map_err(|e| self.fault(e))?;
        clients.insert(name, Arc::clone(&client));
        Ok(client)
    }

    /// What went wrong with a request, as a sentence. No credential is in it: answers are shown without the queries of URLs.
    pub(super) fn fault(&self, error: object_store::Error) -> ReadError {
        use object_store::Error as E;
        let answer = shown(&error);
        let is_bucket = ["NoSuchBucket", "ContainerNotFound", "bucket does not exist"].iter().any(|sign| answer.contains(sign));
        let (fault, what, advice) = match &error {
            _ if is_bucket => {
                (Fault::Missing, format!("there is no bucket {}", self.bucket), "check its name, the region and the endpoint")
            }
            E::NotFound { .. } => (Fault::Missing, "there is no such object".to_owned(), "check its key"),
            E::Precondition { .. } | E::NotModified { .. } => return ReadError::changed().caused_by(error),
            E::PermissionDenied { .. } => (
                Fault::Failed,
                format!("the store denies it ({answer})"),
                "check that the credentials may list the bucket and read its objects",
            ),
            E::Unauthenticated { .. } => {
                (Fault::Failed, format!("the store does not know the credentials ({answer})"), self.advice())
            }
            _ => (Fault::Failed, answer, self.advice()),
        };
        ReadError::new(fault, what, advice).caused_by(error)
    }

    /// What to look at when nothing is known.
    fn advice(&self) -> &'static str {
        match self.service {
            Service::Amazon => "check the network and AWS_REGION, AWS_ENDPOINT_URL and the credentials, and run again",
            Service::Google => "check the network and GOOGLE_APPLICATION_CREDENTIALS, and run again",
            Service::Azure => "check the network, AZURE_STORAGE_ACCOUNT_NAME and the credentials, and run again",
        }
    }
}

/// Clients by bucket and patience.
type Clients = BTreeMap<(Service, String, Duration), Arc<dyn ObjectStore>>;

/// A client that repeats what fails for a while: throttled, slow and broken requests.
fn client(service: Service, bucket: &str, patience: Duration) -> object_store::Result<Arc<dyn ObjectStore>> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // It fails where the process has one already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(5), base: 2.0 };
    let retry = RetryConfig { backoff, max_retries: 8, ..RetryConfig::default() };
    let patience = format!("{} seconds", patience.as_secs());
    Ok(match service {
        Service::Amazon => {
            let mut builder = AmazonS3Builder::from_env();
            for (key, value) in credentials::of_profile() {
                if let Some(key) = key.parse::<AmazonS3ConfigKey>().ok().filter(|key| builder.get_config_value(key).is_none()) {
                    builder = builder.with_config(key, value);
                }
            }
            let endpoint = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint];
            if is_plain(endpoint.iter().find_map(|key| builder.get_config_value(key))) {
                builder = builder.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp), "true");
            }
            let builder = builder.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), patience);
            // Every store removes single objects; some know no request that removes several.
            let builder = builder.with_config(AmazonS3ConfigKey::DisableBulkDelete, "true");
            Arc::new(builder.with_bucket_name(bucket).with_retry(retry).build()?)
        }
        Service::Google => {
            let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).with_retry(retry);
            Arc::new(builder.with_config(GoogleConfigKey::Client(ClientConfigKey::Timeout), patience).build()?)
        }
        Service::Azure => {
            let mut builder = MicrosoftAzureBuilder::from_env();
            if is_plain(builder.get_config_value(&AzureConfigKey::Endpoint)) {
                builder = builder.with_config(AzureConfigKey::Client(ClientConfigKey::AllowHttp), "true");
            }
            let builder = builder.with_config(AzureConfigKey::Client(ClientConfigKey::Timeout), patience);
            Arc::new(builder.with_container_name(bucket).with_retry(retry).build()?)
        }
    })
}

fn ns_of(meta: &ObjectMeta) -> i128 {
    meta.last_modified.timestamp_nanos_opt().map_or(0, i128::from)
}

/// Whether the environment names an endpoint without encryption, as servers in a network of one's own have.
fn is_plain(endpoint: Option<String>) -> bool {
    endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"))
}

/// The bytes of spans, put together from their pieces, which are in order; each with its first byte.
fn joined(spans: &[Range<u64>], pieces: Vec<(u64, Bytes)>) -> Vec<(u64, Bytes)> {
    let mut pieces = pieces.into_iter().peekable();
    let of_span = |span: &Range<u64>| {
        let mut own: Vec<Bytes> = Vec::new();
        while let Some((_, bytes)) = pieces.next_if(|(at, _)| span.contains(at)) {
            own.push(bytes);
        }
        let bytes = match own.len() {
            1 => own.remove(0),
            _ => own
                .iter()
                .fold(BytesMut::new(), |mut all, piece| {
                    all.extend_from_slice(piece);
                    all
                })
                .freeze(),
        };
        (span.start, bytes)
    };
    spans.iter().map(of_span).collect()
}

/// The bytes of a range that lies in one of the spans.
fn part(read: &[(u64, Bytes)], range: &Range<u64>) -> Option<Bytes> {
    if range.is_empty() {
        return Some(Bytes::new());
    }
    let (start, bytes) = read.iter().find(|(start, bytes)| (*start..start + bytes.len() as u64).contains(&range.start))?;
    let (from, to) = ((range.start - start) as usize, (range.end - start) as usize);
    (to <= bytes.len()).then(|| bytes.slice(from..to))
}

/// What a store answered, in one line, without the queries of URLs, in which Azure has its signatures.
fn shown(error: &object_store::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    // Most levels repeat what the next one says.
    let innermost =
        texts.iter().rev().find(|text| texts.iter().all(|other| other.contains(*text) || !text.contains(other.as_str())));
    let text = innermost.or(texts.first()).cloned().unwrap_or_default();
    let words = text.split_whitespace().map(|word| match word.contains("://") {
        true => word.split('?').next().unwrap_or(word),
        false => word,
    });
    let line = words.collect::<Vec<_>>().join(" ");
    let tagged = |tag: &str| Some(line.split_once(&format!("<{tag}>"))?.1.split_once('<')?.0);
    let line = match (tagged("Code"), tagged("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => line.trim_end_matches([':', ' ']).to_owned(),
    };
    line.chars().take(MOST_ANSWER).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_a_bucket_and_a_key() {
        let of = |text: &str| ObjectUrl::parse(text).map(|url| (url.bucket.clone(), url.key.clone(), url.to_string()));
        let found = |bucket: &str, key: &str, text: &str| Some((bucket.to_owned(), key.to_owned(), text.to_owned()));
        assert_eq!(of("s3://shop/a/b.parquet"), found("shop", "a/b.parquet", "s3://shop/a/b.parquet"));
        assert_eq!(of("S3A://shop/a/"), found("shop", "a", "S3A://shop/a"));
        assert_eq!(of("az://box"), found("box", "", "az://box/"));
        assert_eq!(ObjectUrl::parse("s3://shop/a"), ObjectUrl::parse("s3a://shop/a/"));
        assert_ne!(ObjectUrl::parse("s3://shop/a"), ObjectUrl::parse("gs://shop/a"));
        for none in ["s3:///a", "s3://", "http://x/a", "a/b", "file:///a"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn secrets_of_addresses_are_not_shown() {
        for (text, shown) in [
            ("s3://KEY:SECRET@shop/a", "s3://…"),
            ("az://box/a.parquet?sv=1&sig=SECRET", "az://…"),
            ("az://box?sig=SECRET", "az://…"),
            ("s3://shop/month=0?/day=1?.parquet", "s3://shop/month=0?/day=1?.parquet"),
            ("s3://shop/a@b", "s3://shop/a@b"),
        ] {
            assert_eq!(ObjectUrl::parse(text).map(|url| url.to_string()).as_deref(), Some(shown));
        }
    }

    #[test]
    fn keys_have_folders() {
        let of = |text: &str| ObjectUrl::parse(text).unwrap();
        assert_eq!(of("s3://shop").join("a/b").key(), "a/b");
        assert_eq!(of("s3://shop/a").join("b").key(), "a/b");
        assert_eq!(of("s3://shop/a").join("").key(), "a");
        assert_eq!(of("s3://shop/a/b/c").below(&of("s3a://shop/a")), Some("b/c"));
        assert_eq!(of("s3://shop/a").below(&of("s3://shop")), Some("a"));
        for elsewhere in ["s3://shop/ab/c", "s3://other/a/b", "gs://shop/a/b", "s3://shop/a"] {
            assert_eq!(of(elsewhere).below(&of("s3://shop/a")), None, "{elsewhere}");
        }
    }

    #[test]
    fn ranges_are_cut_from_spans() {
        let read = joined(&[0..6, 10..12], vec![(0, Bytes::from("abc")), (3, Bytes::from("def")), (10, Bytes::from("kl"))]);
        let text = |range: Range<u64>| part(&read, &range).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert_eq!(text(1..5).as_deref(), Some("bcde"));
        assert_eq!(text(10..12).as_deref(), Some("kl"));
        assert_eq!(text(10..13), None);
        assert_eq!(text(7..8), None);
        assert_eq!(text(8..8).as_deref(), Some(""));
    }

    #[test]
    fn answers_are_shown_in_a_line_without_signatures() {
        let source = Box::new(std::io::Error::other("503 from https://a.blob.core.windows.net/b?sig=SECRET&x=1:\n  SlowDown"));
        let error = object_store::Error::Generic { store: "Azure", source };
        let text = shown(&error);
        assert!(text.contains("503 from https://a.blob.core.windows.net/b SlowDown"), "{text}");
        assert!(!text.contains("SECRET"), "{text}");
    }
}
