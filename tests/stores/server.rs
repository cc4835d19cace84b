//! A store of objects that answers as S3 does, on a port of this machine. It lists two keys per page, checks conditions, and fails as
//! a test asks it to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

/// The one bucket.
pub const BUCKET: &str = "shop";
/// Keys on a page of a listing.
const PAGE: usize = 2;
/// What no message may hold.
pub const SECRET: &str = "notToBeShown1234567890";

/// A request that was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// That of HTTP, or `COPY`, which is a `PUT` that names another object.
    pub method: String,
    /// The key of an object; empty for a listing.
    pub key: String,
    /// First and last byte that were asked for.
    pub range: Option<(u64, u64)>,
    /// Bytes of the body that was sent.
    pub sent: u64,
}

/// How a request is answered instead of properly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// With this status, and no body that says more than its code.
    Status(u16, &'static str),
    /// With half of the body; then the connection ends.
    Half,
    /// The object is replaced by one of the same length first.
    Replaced,
    /// The object is replaced, and the condition of the request ignored.
    ReplacedUnseen,
    /// What is asked for is done; then the connection ends without an answer.
    Unanswered,
    /// What is asked for is done, and called a failure of the store.
    Misreported,
    /// The condition of a write is ignored.
    Unconditional,
}

type Plan = Box<dyn FnMut(&Request) -> Option<Fault> + Send>;
type Hook = Box<dyn FnMut(&Request) + Send>;

struct State {
    objects: BTreeMap<String, (Vec<u8>, u64)>,
    requests: Vec<Request>,
    plan: Plan,
    /// Objects that were written before the others.
    aged: BTreeSet<String>,
    /// The parts of uploads that have not ended, by the key of the object and the number of the part.
    parts: BTreeMap<(String, u32), Vec<u8>>,
}

/// A running store.
pub struct Store {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    hook: Arc<Mutex<Option<Hook>>>,
}

impl Store {
    /// The bytes of an object.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.state().objects.get(key).map(|(bytes, _)| bytes.clone())
    }

    /// The keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    /// Starts a store with some objects.
    pub fn with(objects: impl IntoIterator<Item = (String, Vec<u8>)>) -> Store {
        let objects = objects.into_iter().map(|(key, bytes)| (key, (bytes, 1))).collect();
        let state = Arc::new(Mutex::new(State {
            objects,
            requests: Vec::new(),
            plan: Box::new(|_| None),
            aged: BTreeSet::new(),
            parts: BTreeMap::new(),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let hook = Arc::new(Mutex::new(None));
        let served = (Arc::clone(&state), Arc::clone(&hook));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, hook) = served.clone();
                thread::spawn(move || serve(stream, &state, &hook));
            }
        });
        Store { address, state, hook }
    }

    /// Does something before each write is looked at; other requests are answered meanwhile.
    pub fn before_writes(&self, hook: impl FnMut(&Request) + Send + 'static) {
        *self.hook.lock().expect("the hook") = Some(Box::new(hook));
    }

    /// Removes an object.
    pub fn remove(&self, key: &str) {
        self.state().objects.remove(key);
    }

    /// Puts an object in the place of another, at the same time by the clock of the store.
    pub fn put(&self, key: &str, bytes: Vec<u8>) {
        let objects = &mut self.state().objects;
        let version = objects.get(key).map_or(0, |(_, version)| *version);
        objects.insert(key.to_owned(), (bytes, version + 1));
    }

    /// Makes an object two hours older than the others.
    pub fn age(&self, key: &str) {
        self.state().aged.insert(key.to_owned());
    }

    /// Decides which requests fail, and how.
    pub fn fail(&self, plan: impl FnMut(&Request) -> Option<Fault> + Send + 'static) {
        self.state().plan = Box::new(plan);
    }

    /// The requests since the last call.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state().requests)
    }

    /// Tells a program where the store is, and how to sign.
    pub fn told<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let mine = ["AWS_", "GOOGLE_", "AZURE_"];
        let set =
            std::env::vars_os().map(|(name, _)| name).filter(|name| mine.iter().any(|m| name.to_string_lossy().starts_with(m)));
        set.for_each(|name| {
            command.env_remove(name);
        });
        command
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.address))
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "KEYID")
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("HOME", "/nonexistent")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the state")
    }
}

/// What a client asks.
struct Asked {
    request: Request,
    query: BTreeMap<String, String>,
    if_match: Option<String>,
    /// Whether there must be no such object.
    is_first: bool,
    is_signed: bool,
    bucket: String,
    body: Vec<u8>,
    /// The key of the object to copy.
    copied: Option<String>,
}

fn serve(stream: TcpStream, state: &Mutex<State>, hook: &Mutex<Option<Hook>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut writer = stream;
    while let Some(asked) = read(&mut reader) {
        if ["PUT", "DELETE"].contains(&asked.request.method.as_str()) {
            // Taken out while it runs, so that writes of others pass.
            let taken = hook.lock().expect("the hook").take();
            if let Some(mut act) = taken {
                act(&asked.request);
                hook.lock().expect("the hook").get_or_insert(act);
            }
        }
        let (head, body, is_cut) = answer(&asked, &mut state.lock().expect("the state"));
        let body = if asked.request.method == "HEAD" { Vec::new() } else { body };
        if head.is_empty() {
            return;
        }
        if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(&body)).is_err() || is_cut {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut range, mut if_match, mut is_first, mut is_signed, mut length, mut copied) = (None, None, false, false, 0, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ").map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned())) else {
            break;
        };
        match name.as_str() {
            "range" => {
                let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
                range = Some((first.parse().ok()?, last.parse().ok()?));
            }
            "if-match" => if_match = Some(value),
            "if-none-match" => is_first = value == "*",
            "authorization" => is_signed = value.contains("KEYID") && !value.contains(SECRET),
            "x-amz-copy-source" => copied = Some(decoded(value.trim_start_matches('/').split_once('/')?.1)),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let query = pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect();
    let request = Request { method, key: decoded(key), range, sent: 0 };
    Some(Asked { request, query, if_match, is_first, is_signed, bucket: bucket.to_owned(), body, copied })
}

fn decoded(text: &str) -> String {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let hex =
            after.get(..2).filter(|_| first == b'%').and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(hex.unwrap_or(first));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(out).expect("text")
}

fn answer(asked: &Asked, state: &mut State) -> (String, Vec<u8>, bool) {
    let mut request = asked.request.clone();
    if asked.copied.is_some() {
        request.method = "COPY".into();
    }
    let fault = (state.plan)(&request);
    let failed = |status: u16, code: &str| {
        let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>said by the store</Message></Error>");
        (head(status, "application/xml", body.len(), ""), body.into_bytes(), false)
    };
    if let Some(Fault::Status(status, code)) = fault {
        state.requests.push(request);
        return failed(status, code);
    }
    if !asked.is_signed {
        return failed(403, "AccessDenied");
    }
    if asked.bucket != BUCKET {
        return failed(404, "NoSuchBucket");
    }
    if request.key.is_empty() {
        let body = listing(&asked.query, state).into_bytes();
        request.sent = body.len() as u64;
        state.requests.push(request);
        return (head(200, "application/xml", body.len(), ""), body, false);
    }
    if asked.query.contains_key("uploads") || asked.query.contains_key("uploadId") {
        state.requests.push(request);
        let (more, body) = upload(asked, state);
        return (head(200, "application/xml", body.len(), &more), body.into_bytes(), false);
    }
    if let Some(from) = &asked.copied {
        let bytes = state.objects.get(from).map(|(bytes, _)| bytes.clone());
        state.requests.push(request.clone());
        let Some(bytes) = bytes else { return failed(404, "NoSuchKey") };
        state.objects.insert(request.key, (bytes, 1));
        let body = "<CopyObjectResult><ETag>\"v1\"</ETag></CopyObjectResult>".to_owned();
        return (head(200, "application/xml", body.len(), ""), body.into_bytes(), false);
    }
    if ["PUT", "DELETE"].contains(&request.method.as_str()) {
        let (is_put, is_there) = (request.method == "PUT", state.objects.contains_key(&request.key));
        let is_refused = is_put && is_there && asked.is_first && fault != Some(Fault::Unconditional);
        state.requests.push(request.clone());
        if is_put && !is_refused {
            let version = state.objects.get(&request.key).map_or(0, |(_, version)| *version);
            state.objects.insert(request.key, (asked.body.clone(), version + 1));
        } else if !is_put {
            state.objects.remove(&request.key);
        }
        return match (fault, is_refused) {
            (Some(Fault::Unanswered), _) => (String::new(), Vec::new(), true),
            (Some(Fault::Misreported), _) => failed(500, "InternalError"),
            (_, true) => failed(412, "PreconditionFailed"),
            _ => (head(if is_put { 200 } else { 204 }, "text/plain", 0, "ETag: \"v\"\r\n"), Vec::new(), false),
        };
    }
    if matches!(fault, Some(Fault::Replaced | Fault::ReplacedUnseen))
        && let Some((bytes, version)) = state.objects.get_mut(&request.key)
    {
        bytes.reverse();
        *version += 1;
    }
    let Some((bytes, version)) = state.objects.get(&request.key) else { return failed(404, "NoSuchKey") };
    let tag = format!("\"v{version}\"");
    if fault != Some(Fault::ReplacedUnseen) && asked.if_match.as_ref().is_some_and(|wanted| *wanted != tag) {
        return failed(412, "PreconditionFailed");
    }
    let size = bytes.len() as u64;
    let (status, first, last) = match request.range {
        Some((first, last)) => (206, first, last.min(size - 1)),
        None => (200, 0, size.saturating_sub(1)),
    };
    let body = bytes.get(first as usize..(last + 1).min(size) as usize).unwrap_or_default().to_vec();
    let ranged = if status == 206 { format!("Content-Range: bytes {first}-{last}/{size}\r\n") } else { String::new() };
    let more = format!("ETag: {tag}\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n{ranged}");
    let head = head(status, "application/octet-stream", body.len(), &more);
    request.sent = if request.method == "HEAD" { 0 } else { body.len() as u64 };
    state.requests.push(request);
    match fault {
        Some(Fault::Half) => (head, body[..body.len() / 2].to_vec(), true),
        _ => (head, body, false),
    }
}

/// An upload in parts: its begin, a part, or its end. A key has one upload at a time.
fn upload(asked: &Asked, state: &mut State) -> (String, String) {
    let key = &asked.request.key;
    let number = asked.query.get("partNumber").map(|number| number.parse().expect("a number"));
    match (asked.request.method.as_str(), number) {
        ("PUT", Some(number)) => {
            state.parts.insert((key.clone(), number), asked.body.clone());
            (format!("ETag: \"part-{number}\"\r\n"), String::new())
        }
        ("POST", _) if asked.query.contains_key("uploads") => {
            let begun =
                format!("<InitiateMultipartUploadResult><UploadId>of {BUCKET}</UploadId></InitiateMultipartUploadResult>");
            (String::new(), begun)
        }
        ("POST", _) => {
            let (own, others) = std::mem::take(&mut state.parts).into_iter().partition(|((of, _), _)| of == key);
            let own: BTreeMap<(String, u32), Vec<u8>> = own;
            state.parts = others;
            state.objects.insert(key.clone(), (own.into_values().flatten().collect(), 1));
            let ended = "<CompleteMultipartUploadResult><ETag>\"v1\"</ETag></CompleteMultipartUploadResult>";
            (String::new(), ended.to_owned())
        }
        (method, _) => panic!("{method} of an upload"),
    }
}

fn head(status: u16, kind: &str, length: usize, more: &str) -> String {
    format!("HTTP/1.1 {status} Told\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n")
}

/// ListObjectsV2.
fn listing(query: &BTreeMap<String, String>, state: &State) -> String {
    let asked = |name: &str| query.get(name).cloned().unwrap_or_default();
    let (prefix, delimiter, after) = (asked("prefix"), asked("delimiter"), asked("continuation-token"));
    let mut entries: BTreeMap<String, String> = BTreeMap::new();
    for (key, (bytes, version)) in state.objects.iter().filter(|(key, _)| key.starts_with(&prefix)) {
        match key[prefix.len()..].split_once('/').filter(|_| !delimiter.is_empty()) {
            Some((folder, _)) => {
                let folder = format!("{prefix}{folder}/");
                entries.insert(folder.clone(), format!("<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>"));
            }
            None => {
                let size = bytes.len();
                let written = if state.aged.contains(key) { "2023-12-31T22" } else { "2024-01-01T00" };
                let text = format!(
                    "<Contents><Key>{}</Key><LastModified>{written}:00:00.000Z</LastModified><ETag>\"v{version}\"</ETag><Size>{size}</Size></Contents>",
                    key.replace('&', "&amp;")
                );
                entries.insert(key.clone(), text);
            }
        }
    }
    let left: Vec<(&String, &String)> = entries.iter().filter(|(key, _)| **key > after).collect();
    let page: String = left.iter().take(PAGE).map(|(_, text)| text.as_str()).collect();
    let next = match left.get(PAGE - 1).filter(|_| left.len() > PAGE) {
        Some((key, _)) => format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{key}</NextContinuationToken>"),
        None => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    format!("<?xml version=\"1.0\"?><ListBucketResult><Name>{BUCKET}</Name>{page}{next}</ListBucketResult>")
}
