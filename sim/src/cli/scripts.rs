//! Runs as scripts: a failing seed is made a short one, and a file's is run.

use std::io::BufWriter;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callbook_sim::page::{Failure, Page};
use callbook_sim::{
    Difference, Outcome, RequestLog, Row, Script, Watch, replay,
    report::{table, wrapped},
    shrink, silence_panics,
};

use super::page::{closer, speed};
use super::seeds::bar;
use super::{AGREE, create, now, write};

/// Runs a script and says what came of it; on a page and in a trace, too, if that is asked.
pub(crate) fn replay_file(
    file: &Path,
    (report, trace): (Option<&Path>, Option<&Path>),
    rows: &[Row],
) -> ExitCode {
    let read = std::fs::read_to_string(file).map_err(|error| error.to_string());
    let script = read.and_then(|text| text.parse::<Script>().map_err(|error| error.to_string()));
    let script = script
        .map_err(|error| format!("cannot read the script {}: {error}", file.display()))
        .and_then(|script| Ok((script, create(report)?, create(trace)?)));
    let (script, out, requests) = match script {
        Ok(script) => script,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let watch = Arc::new(Watch {
        requests: requests.map(|file| RequestLog::new(BufWriter::new(file))),
        course: out.as_ref().map(|_| Mutex::default()),
        ..Watch::default()
    });
    silence_panics();
    let started = now();
    let outcome = replay(&script, rows, &watch);
    let logged = watch.requests.as_ref().map_or(Ok(()), RequestLog::finish);
    let wall = started.elapsed();
    println!("{}", shown(&outcome.script.to_string()));
    print!("{}", table(&outcome.stats, 1, wall));
    for difference in &outcome.differences {
        println!("{}", wrapped(&difference.to_string(), "", "  "));
    }
    if outcome.differences.is_empty() {
        println!("{AGREE}");
    }
    println!("trace: {}", outcome.trace);
    let page = || page(&script, &outcome, &replay_command(file), wall, rows);
    let logged = logged.map_err(|error| format!("cannot write the trace: {error}"));
    match logged.and_then(|()| write(report.zip(out), page)) {
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
        Ok(()) if outcome.differences.is_empty() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
    }
}

/// A script as a terminal of 80 columns shows it: in the file a remark is one line.
fn shown(text: &str) -> String {
    let lines = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(remark) => wrapped(remark, "# ", "# "),
        None => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

fn replay_command(file: &Path) -> String {
    format!("cargo sim -- replay {}", file.display())
}

fn page(script: &Script, outcome: &Outcome, command: &str, wall: Duration, rows: &[Row]) -> String {
    let Outcome { stats, trace, differences, course, .. } = outcome;
    let failure =
        Failure { seed: script.seed, command: command.to_owned(), short: None, differences };
    let failures: Vec<Failure<'_>> =
        (!differences.is_empty()).then_some(failure).into_iter().collect();
    Page {
        mix: Some(&script.mix),
        seed: script.seed,
        seeds: 1,
        time: script.mix.until_calm(),
        command,
        stats,
        course,
        trace,
        wall,
        failures: &failures,
        closer: Some(closer(differences.first(), |watch| replay(script, rows, watch))),
        speed: speed(rows),
    }
    .html()
}

/// How long a script that fails may take to become short.
const SHRINKING: Duration = Duration::from_secs(60);

/// What a failing seed was made short to.
pub(crate) struct Short {
    pub(crate) script: Script,
    /// What differs then.
    pub(crate) difference: Difference,
    /// Which command replays it, if it could be kept in a file.
    pub(crate) command: Option<String>,
}

/// Makes a failing seed a short script, keeps it in a file, and says how to replay it.
pub(crate) fn keep_short(seed: u64, outcome: &Outcome, rows: &[Row]) -> Option<Short> {
    let started = now();
    let bar = bar(SHRINKING.as_secs(), "making it short: {msg}, {elapsed}");
    // Of the same kind: what else a shorter script may do is another failure.
    let first = outcome.differences.first()?;
    let is_it = |difference: &Difference| difference.kind().eq(first.kind());
    let script = shrink(
        outcome.script.clone(),
        |script| replay(script, rows, &Arc::default()).differences.iter().any(is_it),
        |best| {
            let doings = best.kept.phones.values();
            let changes: usize = doings.map(|it| it.saves.len() + it.changes.len()).sum();
            let (phones, faults) = (best.kept.phones.len(), best.kept.strikes.len());
            bar.set_message(format!("{phones} phones, {changes} changes, {faults} faults"));
            bar.tick();
            started.elapsed() < SHRINKING
        },
    );
    bar.finish_and_clear();
    let mut outcome = replay(&script, rows, &Arc::default());
    let Some(at) = outcome.differences.iter().position(is_it) else {
        println!("It does not fail when it is run as a script: please keep the command above.");
        return None;
    };
    let difference = outcome.differences.swap_remove(at);
    outcome.script.remarks = vec![format!("Seed {seed}: {difference}")];
    let text = outcome.script.to_string();
    let file = Path::new("target/sim").join(format!("seed-{seed}.sim"));
    let kept = std::fs::create_dir_all("target/sim").and_then(|()| std::fs::write(&file, &text));
    println!("\nMade short in {:.1} s:\n", started.elapsed().as_secs_f64());
    let shown = shown(&text);
    let lines: Vec<&str> = shown.lines().take(60).collect();
    println!("{}", lines.join("\n"));
    let command = replay_command(&file);
    match &kept {
        Ok(()) => println!("\nReplay it with:\n  {command}\n"),
        Err(error) => println!("\nIt cannot be kept in {}: {error}\n", file.display()),
    }
    Some(Short { script, difference, command: kept.is_ok().then_some(command) })
}
