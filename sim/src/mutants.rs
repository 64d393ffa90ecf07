//! `cargo sim -- mutants`: whether the simulator finds mistakes. All of them are put into a copy of the
//! sources, each behind a question that a variable of the environment answers, so that one build has them
//! all and the sources stay clean; then each runs until a seed fails. A mistake that survives is a checker
//! that is missing.

mod list;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use callbook_sim::Script;
use indicatif::ProgressBar;
use list::{ALL, Mutant, SQL};

/// Which mistake a program makes: its number in the list, from 1.
const VARIABLE: &str = "CALLBOOK_MUTANT";

/// What the copy of the sources has beside them.
const ASKED: &str = r#"
#[doc(hidden)]
pub mod mutant {
    use std::collections::BTreeMap;
    use std::sync::{LazyLock, Mutex};

    static NUMBER: LazyLock<usize> =
        LazyLock::new(|| std::env::var("CALLBOOK_MUTANT").ok().and_then(|it| it.parse().ok()).unwrap_or(0));

    pub fn is(number: usize) -> bool {
        *NUMBER == number
    }

    pub fn sql(sql: &'static str) -> &'static str {
        static CHANGED: Mutex<BTreeMap<usize, &'static str>> = Mutex::new(BTreeMap::new());
        let Some((_, find, put)) = SQL.iter().find(|(number, ..)| is(*number)) else { return sql };
        let mut changed = CHANGED.lock().expect("nothing panics with it");
        changed.entry(sql.as_ptr() as usize).or_insert_with(|| sql.replace(find, put).leak())
    }
"#;

/// What the sources are.
const SOURCES: [&str; 8] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "clippy.toml",
    ".cargo",
    "benches",
    "crates",
    "sim",
];

/// How many seeds a mistake may survive.
const MOST_SEEDS: u32 = 600;

/// After how many seeds half of the mistakes must be caught.
const MOST_MEDIAN: u32 = 20;

/// What became of a mistake.
struct Fate {
    seeds: Option<u32>,
    seconds: f64,
    /// The first difference.
    difference: String,
}

/// Builds the program, runs each mistake, and each kept scenario with the mistake that it catches.
///
/// # Errors
/// A mistake has no place, or the program cannot be built or run.
pub(crate) fn run(threads: usize, bar: &ProgressBar) -> Result<ExitCode, String> {
    let kept = kept()?;
    let program = Program::build()?;
    let fates = fates(&program, threads, bar);
    bar.finish_and_clear();
    let fates = fates?;
    print!("{}", table(&fates));
    let mut blind = Vec::new();
    for (name, script, mistake) in &kept {
        if !program.is_caught(*mistake, script)? {
            blind.push(name);
        }
    }
    println!("{} of {} scenarios catch theirs.", kept.len() - blind.len(), kept.len());
    for name in &blind {
        println!("  {name} does not");
    }
    let survived = fates.iter().filter(|fate| fate.seeds.is_none()).count();
    let is_well = survived == 0 && median(&fates) <= MOST_MEDIAN && blind.is_empty();
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a scenario's remark begins with that says which mistake it catches.
const CATCHES: &str = "Catches: ";

/// The remark of a scenario that catches a mistake.
pub(crate) fn remark(mistake: &str) -> String {
    format!("{CATCHES}{mistake}.")
}

/// The number of a mistake, by its name.
///
/// # Errors
/// None has it.
pub(crate) fn named(name: &str) -> Result<usize, String> {
    let found = numbered().find(|(_, mutant)| mutant.name == name).map(|(number, _)| number);
    found.ok_or_else(|| {
        format!("no mistake is named {name:?}; sim/src/mutants/list.rs has all, as `cargo sim -- mutants` shows them")
    })
}

/// The kept scenarios that say which mistake they catch: their names, and its number.
fn kept() -> Result<Vec<(String, Script, usize)>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    let mut kept = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let script = fs::read_to_string(&path).map_err(failed)?.parse::<Script>();
        let script = script.map_err(|error| format!("{}: {error}", path.display()))?;
        let mistake = script.remarks.iter().find_map(|remark| remark.strip_prefix(CATCHES));
        if let Some(mistake) = mistake {
            let mistake = named(mistake.trim_end_matches('.'))?;
            kept.push((name, script, mistake));
        }
    }
    kept.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    Ok(kept)
}

/// The program with all mistakes in it, and where scripts for it can be put.
pub(crate) struct Program {
    file: PathBuf,
    scripts: PathBuf,
}

impl Program {
    /// Builds it out of a changed copy of the sources.
    pub(crate) fn build() -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let root =
            root.canonicalize().map_err(|error| format!("the sources are not there: {error}"))?;
        // Beside what cargo builds, whose dependencies serve again.
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        let target = this
            .parent()
            .and_then(Path::parent)
            .ok_or("this program stands in no target directory")?;
        let copy = target.join("mutants");
        fs::create_dir_all(&copy)
            .map_err(|error| format!("cannot make {}: {error}", copy.display()))?;
        check_sql(&root)?;
        for source in SOURCES {
            copy_changed(&root.join(source), &copy.join(source))?;
        }
        eprintln!("Building a program with {} mistakes in it …", ALL.len());
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args([
                "build",
                "--release",
                "--quiet",
                "-p",
                "callbook-sim",
                "--bin",
                "callbook-mutants",
            ])
            .current_dir(&copy)
            .env("CARGO_TARGET_DIR", target)
            .output()
            .map_err(|error| format!("cannot run cargo: {error}"))?;
        match built.status.success() {
            true => {
                Ok(Self { file: target.join("release").join("callbook-mutants"), scripts: copy })
            }
            false => Err(format!(
                "the sources with the mistakes in them do not build; see {}:\n{}",
                copy.display(),
                String::from_utf8_lossy(&built.stderr)
            )),
        }
    }

    /// Whether a script fails when a mistake is made, and would not without its faults.
    ///
    /// # Errors
    /// The program cannot be run.
    pub(crate) fn is_caught(&self, mistake: usize, script: &Script) -> Result<bool, String> {
        let mut calm = script.clone();
        calm.kept.strikes.clear();
        Ok(self.fails(mistake, script)? && !self.fails(mistake, &calm)?)
    }

    fn fails(&self, mistake: usize, script: &Script) -> Result<bool, String> {
        let file = self.scripts.join(format!("tried-{}.sim", std::process::id()));
        fs::write(&file, script.to_string())
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        let ran = self.making(mistake).arg("replay").arg(&file).output();
        let ran = ran.map_err(|error| format!("cannot run {}: {error}", self.file.display()))?;
        match ran.status.code() {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(String::from_utf8_lossy(&ran.stderr).into_owned()),
        }
    }

    fn making(&self, mistake: usize) -> Command {
        let mut command = Command::new(&self.file);
        command.env(VARIABLE, mistake.to_string());
        command
    }
}

/// Whether each mistake in SQL has its place.
fn check_sql(root: &Path) -> Result<(), String> {
    let sql = sql(&root.join("crates/worker/src/sql"))?;
    let fits = |mutant: &&Mutant| mutant.file != SQL || sql.contains(mutant.find);
    ALL.iter().find(|mutant| !fits(mutant)).map_or(Ok(()), |mutant| Err(no_longer_fits(mutant, 0)))
}

/// Copies a file or a directory, with the mistakes put in, and writes only what is not there already, so
/// that cargo builds no more than it must.
fn copy_changed(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot copy {}: {error}", from.display());
    if from.is_dir() {
        fs::create_dir_all(to).map_err(failed)?;
        for entry in fs::read_dir(from).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            copy_changed(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    let text = fs::read(from).map_err(failed)?;
    let text = match String::from_utf8(text) {
        Ok(text) => with_mistakes(from, text)?.into_bytes(),
        Err(bytes) => bytes.into_bytes(),
    };
    if fs::read(to).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::write(to, text).map_err(failed)
}

/// A file's text with the mistakes that are its own.
fn with_mistakes(file: &Path, mut text: String) -> Result<String, String> {
    if file.ends_with("crates/base/src/lib.rs") {
        text.push_str(ASKED);
        let _ = writeln!(text, "    static SQL: &[(usize, &str, &str)] = &[");
        for (number, mutant) in numbered().filter(|(_, mutant)| mutant.file == SQL) {
            let _ = writeln!(text, "        ({number}, {:?}, {:?}),", mutant.find, mutant.put);
        }
        text.push_str("    ];\n}\n");
    }
    let replace = |text: String, find: &str, put: &str| replaced(file, text, find, put);
    if file.ends_with("crates/worker/src/database.rs") {
        let put = "Self { sql: callbook_base::mutant::sql(sql), params";
        text = replace(text, "Self { sql, params", put)?;
    }
    if file.ends_with("Cargo.toml") && text.contains("[workspace.package]") {
        // Another version, or cargo would take what it builds of these for the true ones.
        let version = "[workspace.package]\nversion = \"";
        text = replace(text, version, &format!("{version}0.0.0-"))?;
    }
    if file.ends_with("crates/worker/Cargo.toml") {
        // What is a shared library too has no version in the name of its file: it would be put in the true one's place.
        text = replace(text, "\"cdylib\", ", "")?;
    }
    if file.ends_with("sim/Cargo.toml") {
        // Beside the program that runs this.
        let run = "default-run = \"callbook-";
        text = replace(text, &format!("{run}sim\""), &format!("{run}mutants\""))?;
        text.push_str("\n[[bin]]\nname = \"callbook-mutants\"\npath = \"src/main.rs\"\n");
    }
    let mut here: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
    for (number, mutant) in numbered().filter(|(_, mutant)| file.ends_with(mutant.file)) {
        here.entry(mutant.find).or_default().push((number, mutant));
    }
    for (find, mutants) in here {
        if text.matches(find).count() != 1 {
            return Err(no_longer_fits(mutants[0].1, text.matches(find).count()));
        }
        text = text.replacen(find, &with_choice(find, &mutants), 1);
    }
    Ok(text)
}

/// A file's text with what must be in it once replaced.
fn replaced(file: &Path, text: String, find: &str, put: &str) -> Result<String, String> {
    match text.matches(find).count() {
        1 => Ok(text.replacen(find, put, 1)),
        times => Err(format!(
            "the program with mistakes cannot be made: {} has {find:?} {times} times, not once. Mend it in \
             sim/src/mutants.rs",
            file.display()
        )),
    }
}

fn no_longer_fits(Mutant { name, file, .. }: &Mutant, times: usize) -> String {
    format!(
        "the mistake \"{name}\" no longer fits: {file} has its text {times} times, not once. Mend it in \
         sim/src/mutants/list.rs"
    )
}

/// All statements of the service.
fn sql(rooms: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", rooms.display());
    let mut text = String::new();
    for entry in fs::read_dir(rooms).map_err(failed)? {
        text += &fs::read_to_string(entry.map_err(failed)?.path()).map_err(failed)?;
    }
    Ok(text)
}

/// A text that is one of several, as is asked when it runs.
fn with_choice(find: &str, mutants: &[(usize, &Mutant)]) -> String {
    let is = |number: usize| format!("callbook_base::mutant::is({number})");
    if let [(number, mutant)] = mutants
        && mutant.put.contains("MUTANT")
    {
        return mutant.put.replace("MUTANT", &is(*number));
    }
    let choices = mutants
        .iter()
        .map(|(number, mutant)| format!("if {} {{ {} }} else ", is(*number), mutant.put));
    format!("({}{{ {find} }})", choices.collect::<String>())
}

fn numbered() -> impl Iterator<Item = (usize, &'static Mutant)> {
    (1..).zip(ALL)
}

/// What became of each mistake, several at a time.
fn fates(program: &Program, threads: usize, bar: &ProgressBar) -> Result<Vec<Fate>, String> {
    bar.set_length(ALL.len() as u64);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= ALL.len() {
                        return;
                    }
                    let fate = fate(program, index + 1);
                    done.lock().expect("no thread panics with it").insert(index, fate);
                    bar.inc(1);
                }
            });
        }
    });
    done.into_inner().expect("no thread panics with it").into_values().collect()
}

fn fate(program: &Program, number: usize) -> Result<Fate, String> {
    let ran = program
        .making(number)
        .args(["--seeds", &MOST_SEEDS.to_string(), "--threads", "1", "--no-shrink"])
        .stderr(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run {}: {error}", program.file.display()))?;
    let said = String::from_utf8_lossy(&ran.stdout);
    let mut lines = said.lines();
    let difference = lines.find(|line| line.ends_with("fails:")).and_then(|_| lines.next());
    // `1 of 7 seeds failed, in 2.5 s.`
    let end: Vec<&str> = said.lines().last().unwrap_or_default().split(' ').collect();
    let word = |at: usize| end.get(at).copied().unwrap_or_default();
    Ok(Fate {
        seeds: difference.and_then(|_| word(2).parse().ok()),
        seconds: word(6).parse().unwrap_or_default(),
        difference: difference.unwrap_or_default().trim().to_owned(),
    })
}

/// Which checker a difference is of, by its words.
fn checker(difference: &str) -> &'static str {
    const WORDS: [(&str, &str); 27] = [
        ("panicked", "a panic"),
        ("itself for a copy", "sessions"),
        ("has ended it", "sessions"),
        ("never showed it", "never held"),
        ("goes back", "goes back"),
        ("count of ops", "counts and floors"),
        ("another order", "order of arrival"),
        ("is only in", "model and server"),
        ("in the model", "model and server"),
        ("the model", "model and server"),
        ("which belongs to", "owners"),
        ("follow from its keys", "owners"),
        ("claims are not", "owners"),
        ("digest and size", "digest anew"),
        ("its digest differed", "pulls from the start"),
        ("was here lately", "pulls from the start"),
        ("revoked", "revoked devices"),
        ("never done", "exactly once"),
        ("was purged", "purges"),
        ("nobody has deleted", "deletes"),
        ("restored book", "restores"),
        ("at rest", "contacts at rest"),
        ("is told of", "contacts at rest"),
        ("something to say", "liveness"),
        ("does not end", "liveness"),
        ("refused", "refused ops"),
        ("phone", "phone and book"),
    ];
    WORDS.iter().find(|(words, _)| difference.contains(words)).map_or("others", |(_, name)| name)
}

/// In 80 columns.
fn table(fates: &[Fate]) -> String {
    let mut text = format!("{:52}{:19}seeds   s\n", "mistake", "caught by");
    for (mutant, fate) in ALL.iter().zip(fates) {
        let (name, by) = (mutant.name, checker(&fate.difference));
        let _ = match fate.seeds {
            Some(seeds) => writeln!(text, "{name:52}{by:20}{seeds:4}{:4.0}", fate.seconds),
            None => writeln!(text, "{name:52}SURVIVES {MOST_SEEDS} seeds"),
        };
    }
    let seconds: f64 = fates.iter().map(|fate| fate.seconds).sum();
    let caught = fates.iter().filter(|fate| fate.seeds.is_some()).count();
    let (all, median) = (fates.len(), median(fates));
    let _ = writeln!(
        text,
        "{caught} of {all} caught, the median after {median} seeds (at most {MOST_MEDIAN}), in {seconds:.0} s of one core."
    );
    text
}

/// After how many seeds half of those that are caught are.
fn median(fates: &[Fate]) -> u32 {
    let mut seeds: Vec<u32> = fates.iter().filter_map(|fate| fate.seeds).collect();
    seeds.sort_unstable();
    seeds.get(seeds.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use callbook_sim::Fault;

    use super::*;

    /// Faults against which nothing is done that a mistake in one place could undo.
    const HARMLESS: [Fault; 1] = [
        // Each call is known by what it was, whoever reads it how often.
        Fault::CallLogTrimmed,
    ];

    #[test]
    fn the_scenario_of_each_fault_catches_a_mistake() {
        let kept: BTreeSet<String> = kept().unwrap().into_iter().map(|(name, ..)| name).collect();
        let blind = Fault::ALL.iter().filter(|fault| !kept.contains(fault.name()));
        assert_eq!(blind.collect::<Vec<_>>(), HARMLESS.iter().collect::<Vec<_>>());
    }

    /// What `cargo sim -- mutants` would say after minutes.
    #[test]
    fn each_mistake_has_its_place_and_a_name_that_leaves_room() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        check_sql(&root).unwrap();
        for mutant in ALL {
            assert!(mutant.name.len() < 52, "{}", mutant.name);
            if mutant.file == SQL {
                // With fewer, SQLite would refuse the statement, and any checker would see that.
                assert_eq!(parameters(mutant.put), parameters(mutant.find), "{}", mutant.name);
            } else {
                let file = root.join(mutant.file);
                with_mistakes(&file, fs::read_to_string(&file).unwrap()).unwrap();
            }
        }
    }

    /// The numbers of a statement's parameters.
    fn parameters(sql: &str) -> BTreeSet<&str> {
        let numbers = sql.split('?').skip(1);
        let end = |it: &str| it.find(|c: char| !c.is_ascii_digit()).unwrap_or(it.len());
        numbers.map(|it| &it[..end(it)]).collect()
    }
}
