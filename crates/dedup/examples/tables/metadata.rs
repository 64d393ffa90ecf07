//! The numbering plans, as one pinned release of `rlibphonenumber` carries Google's metadata.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use prost::Message;
use rlibphonenumber::{PhoneMetadata, PhoneMetadataCollection};

/// What the keys need of one region's or one non-geographical network's plan.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    /// ISO 3166, or `001` for a network that is no region's.
    pub(crate) id: String,
    pub(crate) calling_code: u16,
    /// Whether numbers of the calling code are read by this plan.
    pub(crate) main: bool,
    pub(crate) international_prefix: String,
    pub(crate) national_prefix: String,
    /// What stands instead of a national prefix that had a group: digits, then the group.
    pub(crate) transform: Option<String>,
    pub(crate) general: String,
    pub(crate) possible: Vec<i32>,
}

/// The release that carries the metadata, and all plans of it in their order.
pub(crate) fn read() -> (String, Vec<Metadata>) {
    let (version, directory) = carrier();
    let path = directory.join("src/generated/metadata/metadata.bin");
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let all = PhoneMetadataCollection::decode(bytes.as_slice()).expect("the library reads it too");
    let mut plans: Vec<Metadata> = all.metadata.iter().map(plan).collect();
    // Of several regions with one calling code the one that says so reads its numbers, else the first.
    let mut main: BTreeMap<u16, usize> = BTreeMap::new();
    for (index, metadata) in all.metadata.iter().enumerate() {
        let holder = main.entry(plans[index].calling_code).or_insert(index);
        if metadata.main_country_for_code() {
            *holder = index;
        }
    }
    for index in main.into_values() {
        plans[index].main = true;
    }
    (version, plans)
}

fn plan(metadata: &PhoneMetadata) -> Metadata {
    #[expect(deprecated, reason = "said of the library's own wrapper; there is none here")]
    let general = metadata.general_desc.clone().unwrap_or_default();
    Metadata {
        id: metadata.id.clone(),
        calling_code: metadata.country_code().try_into().expect("at most three digits"),
        main: false,
        international_prefix: bare(metadata.international_prefix()),
        national_prefix: bare(metadata.national_prefix_for_parsing()),
        transform: metadata.national_prefix_transform_rule.clone(),
        general: bare(general.national_number_pattern()),
        possible: general.possible_length,
    }
}

/// The library wraps each of Google's expressions in `^(?:` and `)$`.
fn bare(pattern: &str) -> String {
    let inside = pattern.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$"));
    assert!(pattern.is_empty() || inside.is_some(), "not wrapped: {pattern}");
    inside.unwrap_or_default().to_owned()
}

/// The version and the folder of the library's sources, which cargo has fetched to build this.
fn carrier() -> (String, PathBuf) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .expect("cargo runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let workspace: serde_json::Value =
        serde_json::from_slice(&run.stdout).expect("cargo says JSON");
    let packages = workspace["packages"].as_array().expect("a list of packages");
    let package = packages.iter().find(|package| package["name"] == "rlibphonenumber");
    let package = package.expect("a dev-dependency of this package");
    let text = |key: &str| package[key].as_str().expect("a text").to_owned();
    (text("version"), PathBuf::from(text("manifest_path")).parent().expect("a file's").into())
}
