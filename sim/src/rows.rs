//! The file of numbers that phone books are made of. Sync must never be known here.

use callbook_dedup::number_key;

/// The numbers that come with the simulator (`sim/data/README.md` says from where).
const BUILT_IN: &[u8] = include_bytes!("../data/phone-numbers.csv");

/// One number, as somebody has it in their phone.
#[derive(Debug, Clone)]
pub struct Row {
    /// When it was saved, epoch milliseconds.
    pub created_at: i64,
    /// Where it was written.
    pub region: String,
    /// As written.
    pub number: String,
    /// What all its spellings have in common; `None` when it takes part in nothing but display.
    pub key: Option<String>,
}

/// A file of numbers that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidRows {
    /// It is not there, or may not be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// A line says something else than the columns of its head promise.
    #[error("{path}, line {line}: {problem}")]
    Line {
        /// The file.
        path: String,
        /// From 1, the head.
        line: u64,
        /// What is wrong.
        problem: String,
    },
}

/// The first `count` rows of a file, or of the built-in one.
///
/// Its columns are `created_at`, `region`, `phone` and, if somebody knows, `e164`; others are ignored.
/// The key is `e164`, which libphonenumber gave, where the service says that the number has a key at
/// all: the file does not tell short codes and extensions.
///
/// # Errors
/// The file cannot be read, or a line of it.
pub fn read(path: Option<&std::path::Path>, count: usize) -> Result<Vec<Row>, InvalidRows> {
    let shown = path.map_or("the built-in numbers".to_owned(), |path| path.display().to_string());
    let bytes = match path {
        None => BUILT_IN.to_vec(),
        Some(path) => std::fs::read(path)
            .map_err(|error| InvalidRows::Unreadable { path: shown.clone(), error })?,
    };
    parse(&bytes, &shown, count)
}

fn parse(bytes: &[u8], path: &str, count: usize) -> Result<Vec<Row>, InvalidRows> {
    let wrong =
        |line: u64, problem: String| InvalidRows::Line { path: path.to_owned(), line, problem };
    let mut reader = csv::Reader::from_reader(bytes);
    let head = reader.headers().map_err(|error| wrong(1, error.to_string()))?.clone();
    let column = |name: &str| head.iter().position(|column| column == name);
    let needed = |name| column(name).ok_or_else(|| wrong(1, format!("there is no column {name}")));
    let (created_at, region, phone) = (needed("created_at")?, needed("region")?, needed("phone")?);
    let e164 = column("e164").unwrap_or(usize::MAX);

    let mut rows = Vec::new();
    for record in reader.records().take(count) {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, |position| position.line());
            wrong(line, error.to_string())
        })?;
        let line = record.position().map_or(0, |position| position.line());
        let text = |column: usize| record.get(column).unwrap_or_default().to_owned();
        let created_at = text(created_at)
            .parse()
            .map_err(|_| wrong(line, "created_at is no time in milliseconds".to_owned()))?;
        let (region, number, expected) = (text(region), text(phone), text(e164));
        if number.contains('\0') || number.chars().count() > 1_000 {
            return Err(wrong(
                line,
                "phone is longer than 1,000 characters or holds NUL".to_owned(),
            ));
        }
        let found = callbook_dedup::e164(&number, &region);
        if found.is_some_and(|found| !expected.is_empty() && *found != *expected) {
            let problem = "the service reads this number as another one than e164";
            return Err(wrong(line, problem.to_owned()));
        }
        let key = number_key(&number, &region).map(|key| key.to_string());
        rows.push(Row { created_at, region, number, key });
    }
    match rows.is_empty() {
        true => Err(wrong(1, "there is no number in it".to_owned())),
        false => Ok(rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_names_the_line() {
        #[track_caller]
        fn check(file: &[u8], message: &str) {
            assert_eq!(parse(file, "f.csv", 10).unwrap_err().to_string(), message);
        }
        let head = "id,created_at,region,phone,e164\n";
        check(b"", "f.csv, line 1: there is no column created_at");
        assert_eq!(parse(b"created_at,region,phone\n5,US,1\n", "f.csv", 9).unwrap().len(), 1);
        check(b"id,created_at,region,e164\n", "f.csv, line 1: there is no column phone");
        check(head.as_bytes(), "f.csv, line 1: there is no number in it");
        let good = "1,5,US,(415) 555-2671,+14155552671\n";
        check(
            format!("{head}{good}2,soon,US,1,\n").as_bytes(),
            "f.csv, line 3: created_at is no time in milliseconds",
        );
        check(
            format!("{head}{good}{good}1,5,US,(415) 555-2671,+1\n").as_bytes(),
            "f.csv, line 4: the service reads this number as another one than e164",
        );
        let ragged = parse(format!("{head}1,2\n").as_bytes(), "f.csv", 9).unwrap_err().to_string();
        assert!(ragged.starts_with("f.csv, line 2: "), "{ragged}");
        let latin = [head.as_bytes(), b"1,5,US,\xe9,\n"].concat();
        assert!(parse(&latin, "f.csv", 9).unwrap_err().to_string().starts_with("f.csv, line 2: "));
        let missing = read(Some(std::path::Path::new("nowhere.csv")), 1).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read nowhere.csv: "), "{missing}");
    }

    #[test]
    fn rows_end_at_the_count() {
        assert_eq!(read(None, 7).unwrap().len(), 7);
        assert_eq!(read(None, usize::MAX).unwrap().len(), 20_000);
    }
}
