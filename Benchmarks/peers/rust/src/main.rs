//! bincode and rkyv, for doubles, records, log and mesh: the same data and the same output as the C++ peers.

use bytecheck::CheckBytes;
use rkyv::{Archive, Deserialize as Unarchive, Serialize as Store};
use serde::{Deserialize, Serialize};
use std::arch::asm;
use std::time::Instant;

extern "C" {
    fn floor_allocations() -> i64;
    fn floor_keep_memory();
}

/// Keeps the compiler from leaving out what makes the value.
fn black_box<T>(value: T) {
    unsafe { asm!("/* {0} */", in(reg) &value) };
}

struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
    fn double(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u32 << 24) as f32
    }
    fn element<T: Copy>(&mut self, elements: &[T]) -> T {
        elements[self.below(elements.len() as u64) as usize]
    }
}

#[derive(Serialize, Deserialize, Archive, Store, Unarchive)]
#[archive_attr(derive(CheckBytes))]
struct Record {
    id: i64,
    score: f64,
    name: String,
    values: Vec<i32>,
}

#[derive(Serialize, Deserialize, Archive, Store, Unarchive)]
#[archive_attr(derive(CheckBytes))]
struct LogLine {
    address: [u8; 4],
    identity: String,
    user: String,
    date: String,
    request: String,
    code: u16,
    size: u64,
}

#[derive(Serialize, Deserialize, Archive, Store, Unarchive, Clone, Copy)]
#[archive_attr(derive(CheckBytes))]
struct Vector {
    x: f32,
    y: f32,
    z: f32,
}

#[derive(Serialize, Deserialize, Archive, Store, Unarchive, Clone, Copy)]
#[archive_attr(derive(CheckBytes))]
struct Triangle {
    corners: [Vector; 4],
}

fn doubles() -> Vec<f64> {
    let mut random = SplitMix64(1);
    (0..10_000_000).map(|_| random.double()).collect()
}

fn records() -> Vec<Record> {
    let mut random = SplitMix64(2);
    (0..100_000)
        .map(|index| Record {
            id: index * 7919,
            score: random.double() * 100.0,
            name: format!("name{:08}", index),
            values: (0..4).map(|_| random.below(100_000) as i32).collect(),
        })
        .collect()
}

fn log() -> Vec<LogLine> {
    const USERS: [&str; 9] = ["-", "ada", "barbara", "chris", "edsger", "grace", "ken", "radia", "tony"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    const PATHS: [&str; 7] = [
        "/",
        "/index.html",
        "/style/main.css",
        "/style/print.min.css",
        "/images/banner-wide.svg",
        "/api/v1/session",
        "/search",
    ];
    const PROTOCOLS: [&str; 4] = ["HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3"];
    const CODES: [u16; 15] = [200, 201, 204, 206, 301, 302, 304, 400, 401, 403, 404, 410, 429, 500, 503];
    let mut r = SplitMix64(3);
    (0..10_000)
        .map(|_| {
            // Fields and arguments are evaluated in the order in which they are written.
            LogLine {
                address: [r.below(256) as u8, r.below(256) as u8, r.below(256) as u8, r.below(256) as u8],
                identity: "-".into(),
                user: r.element(&USERS).into(),
                date: format!(
                    "{}/{}/{}:{}:{}:{} +0{}00",
                    r.below(28) + 1,
                    r.element(&MONTHS),
                    r.below(40) + 1985,
                    r.below(24),
                    r.below(60),
                    r.below(60),
                    r.below(10)
                ),
                request: format!("{} {} {}", r.element(&METHODS), r.element(&PATHS), r.element(&PROTOCOLS)),
                code: r.element(&CODES),
                size: r.below(100_000_000),
            }
        })
        .collect()
}

fn mesh() -> Vec<Triangle> {
    let mut random = SplitMix64(4);
    let mut vector = || Vector { x: random.float(), y: random.float(), z: random.float() };
    (0..125_000).map(|_| Triangle { corners: [vector(), vector(), vector(), vector()] }).collect()
}

fn bytes(text: &str) -> u64 {
    text.bytes().map(u64::from).sum()
}

// The same sum over a value and over its archived form.
macro_rules! sums {
    ($values:ident, $record:ident, $line:ident, $triangle:ident) => {
        mod $values {
            use super::*;
            pub(super) fn records(all: &[$record]) -> u64 {
                all.iter().fold(0, |sum: u64, record| {
                    record.values.iter().fold(
                        sum.wrapping_add(record.id as u64)
                            .wrapping_add(record.score.to_bits())
                            .wrapping_add(bytes(&record.name)),
                        |sum, value| sum.wrapping_add(*value as u64),
                    )
                })
            }
            pub(super) fn log(all: &[$line]) -> u64 {
                all.iter().fold(0, |sum: u64, line| {
                    sum.wrapping_add(line.address.iter().map(|byte| u64::from(*byte)).sum())
                        .wrapping_add(bytes(&line.identity))
                        .wrapping_add(bytes(&line.user))
                        .wrapping_add(bytes(&line.date))
                        .wrapping_add(bytes(&line.request))
                        .wrapping_add(line.code as u64)
                        .wrapping_add(line.size)
                })
            }
            pub(super) fn mesh(all: &[$triangle]) -> u64 {
                all.iter().fold(0, |sum: u64, triangle| {
                    triangle.corners.iter().fold(sum, |sum, v| {
                        sum.wrapping_add(u64::from(v.x.to_bits()))
                            .wrapping_add(u64::from(v.y.to_bits()))
                            .wrapping_add(u64::from(v.z.to_bits()))
                    })
                })
            }
            pub(super) fn doubles(all: &[f64]) -> u64 {
                all.iter().fold(0, |sum: u64, value| sum.wrapping_add(value.to_bits()))
            }
        }
    };
}
sums!(owned, Record, LogLine, Triangle);
sums!(archived, ArchivedRecord, ArchivedLogLine, ArchivedTriangle);

struct Peer {
    filter: String,
    alone: String,
    times: usize,
    first: bool,
}

struct Shape {
    name: &'static str,
    unit: &'static str,
    amount: f64,
    records: f64,
    passes: usize,
}

impl Peer {
    fn wants(&self, shape: &Shape) -> bool {
        if !self.alone.is_empty() {
            return self.alone.starts_with(&format!("{}/", shape.name));
        }
        self.filter.is_empty() || self.filter == shape.name
    }
    fn measure(&mut self, shape: &Shape, key: &str, label: &str, size: usize, mut work: impl FnMut()) {
        if !self.alone.is_empty() {
            if self.alone == format!("{}/{}", shape.name, key) {
                (0..self.times).for_each(|_| work());
            }
            return;
        }
        work();
        let before = unsafe { floor_allocations() };
        work();
        let allocations = (unsafe { floor_allocations() } - before) as f64 / shape.records;
        let values: Vec<String> = (0..3)
            .map(|_| {
                let start = Instant::now();
                (0..shape.passes).for_each(|_| work());
                format!("{:.6}", shape.amount * shape.passes as f64 / start.elapsed().as_secs_f64())
            })
            .collect();
        print!(
            "{}\n{{\"name\":\"wire-{}\",\"unit\":\"{}\",\"series\":[{{\"key\":\"{}\",\"label\":\"{}\",\"bytes\":{},\
             \"allocations\":{:.7},\"values\":[{}]}}]}}",
            if self.first { "" } else { "," },
            shape.name,
            shape.unit,
            key,
            label,
            size,
            allocations,
            values.join(",")
        );
        self.first = false;
    }
}

macro_rules! shape {
    ($peer:ident, $name:ident, $element:ty, $unit:expr, $amount:expr, $records:expr, $passes:expr) => {
        let shape =
            Shape { name: stringify!($name), unit: $unit, amount: $amount, records: $records, passes: $passes };
        if $peer.wants(&shape) {
            let values = $name();
            let expected = owned::$name(&values);
            let message = bincode::serialize(&values).unwrap();
            let size = message.len();
            $peer.measure(&shape, "bincode.encode", "bincode: encode", size, || {
                black_box(bincode::serialize(&values).unwrap());
            });
            $peer.measure(&shape, "bincode.decode", "bincode: decode, every field read", size, || {
                let decoded: Vec<$element> = bincode::deserialize(&message).unwrap();
                assert!(owned::$name(&decoded) == expected);
            });
            let message = rkyv::to_bytes::<_, 1024>(&values).unwrap();
            let size = message.len();
            $peer.measure(&shape, "rkyv.encode", "rkyv: encode", size, || {
                black_box(rkyv::to_bytes::<_, 1024>(&values).unwrap());
            });
            $peer.measure(&shape, "rkyv.decode", "rkyv: decode, every field read", size, || {
                let archive = rkyv::check_archived_root::<Vec<$element>>(&message).unwrap();
                let decoded: Vec<$element> = archive.deserialize(&mut rkyv::Infallible).unwrap();
                assert!(owned::$name(&decoded) == expected);
            });
            $peer.measure(&shape, "rkyv.views", "rkyv: read in place, unchecked", size, || {
                let archive = unsafe { rkyv::archived_root::<Vec<$element>>(&message) };
                assert!(archived::$name(archive) == expected);
            });
            $peer.measure(&shape, "rkyv.views.verified", "rkyv: verify, read in place", size, || {
                let archive = rkyv::check_archived_root::<Vec<$element>>(&message).unwrap();
                assert!(archived::$name(archive) == expected);
            });
        }
    };
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        arguments.iter().position(|it| it == name).and_then(|at| arguments.get(at + 1)).cloned().unwrap_or_default()
    };
    let mut peer = Peer {
        filter: option("--filter"),
        alone: option("--alone"),
        times: option("--times").parse().unwrap_or(1),
        first: true,
    };
    let quiet = !peer.alone.is_empty();
    unsafe { floor_keep_memory() };
    if !quiet {
        print!("{{\"benchmarks\":[");
    }
    shape!(peer, doubles, f64, "GB/s", 0.08, 1e7, 1);
    shape!(peer, records, Record, "M/s", 0.1, 1e5, 5);
    shape!(peer, log, LogLine, "M/s", 0.01, 1e4, 20);
    shape!(peer, mesh, Triangle, "GB/s", 0.006, 125e3, 10);
    if !quiet {
        println!("]}}");
    }
}
