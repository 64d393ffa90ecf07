use super::*;

fn read(body: &str) -> Result<Push, InvalidRequest> {
    Push::read(body.as_bytes())
}

fn push(ops: &str) -> String {
    format!(r#"{{"region":"US","sent_at":"2026-11-22T10:00:00.000Z","ops":[{ops}]}}"#)
}

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[test]
fn a_request_that_cannot_be_read_is_refused_whole() {
    #[track_caller]
    fn check(body: &str) {
        assert!(matches!(read(body), Err(InvalidRequest::Request(_))), "{body}");
    }
    check("");
    check("no json");
    check("[]");
    check(r#"{"ops":[]}"#);
    check(r#"{"sent_at":"2026-11-22T10:00:00.000+01:00","ops":[]}"#);
    check(r#"{"sent_at":"2026-11-22T10:00:00.000Z","complete":true,"ops":[]}"#);
    check(r#"{"sent_at":"2026-11-22T10:00:00.000Z","region":5,"ops":[]}"#);
    check(r#"{"sent_at":"2026-11-22T10:00:00.000Z","ops":{}}"#);
    assert!(matches!(Push::read(b"{\"a\":\"\xff\"}"), Err(InvalidRequest::Request(_))));
    assert!(read(&push("")).is_ok());
    let many =
        |n: u64| (1..=n).map(|i| format!(r#"{{"op_seq":{i},"op_id":"a"}}"#)).collect::<Vec<_>>();
    assert!(read(&push(&many(500).join(","))).is_ok());
    assert_eq!(read(&push(&many(501).join(","))).unwrap_err(), InvalidRequest::TooManyOps);
    let bad = format!("{},5", many(501).join(","));
    assert!(matches!(read(&push(&bad)), Err(InvalidRequest::Op { index: 501, .. })));
}

#[test]
fn an_op_without_its_place_fails_the_request() {
    #[track_caller]
    fn check(op: &str, ok: bool) {
        let answer = read(&push(op));
        assert_eq!(matches!(answer, Err(InvalidRequest::Op { index: 0, .. })), !ok, "{op}");
    }
    check("5", false);
    check("{}", false);
    check(r#"{"op_seq":1}"#, false);
    check(r#"{"op_seq":0,"op_id":"a"}"#, false);
    check(r#"{"op_seq":-1,"op_id":"a"}"#, false);
    check(r#"{"op_seq":1.5,"op_id":"a"}"#, false);
    check(r#"{"op_seq":"1","op_id":"a"}"#, false);
    check(r#"{"op_seq":9007199254740992,"op_id":"a"}"#, false);
    check(r#"{"op_seq":1,"op_id":""}"#, false);
    check(&format!(r#"{{"op_seq":1,"op_id":"{}"}}"#, "é".repeat(65)), false);
    check(&format!(r#"{{"op_seq":1,"op_id":"{}"}}"#, "é".repeat(64)), true);
    check(r#"{"op_seq":1,"op_id":"a\u0000"}"#, false);
    check(r#"{"op_seq":1,"op_id":7}"#, false);
}

#[test]
fn a_bad_op_is_rejected_by_itself() {
    #[track_caller]
    fn check(members: &str, code: Option<RejectionCode>) {
        let good = format!(r#"{{"op_seq":2,"op_id":"b","op":"delete","id":"{ID}","base_rev":1}}"#);
        let push = read(&push(&format!(r#"{{"op_seq":1,"op_id":"a",{members}}},{good}"#))).unwrap();
        assert_eq!(
            push.ops[0].op.as_ref().err().map(|rejection| rejection.code),
            code,
            "{members}"
        );
        assert!(push.ops[1].op.is_ok());
    }
    let put = |members: &str| format!(r#""op":"put","id":"{ID}","base_rev":0,{members}"#);
    use RejectionCode::{InvalidContact, InvalidOp};
    check(r#""op":"put""#, Some(InvalidOp));
    check(&format!(r#""op":"copy","id":"{ID}","base_rev":0"#), Some(InvalidOp));
    check(&format!(r#""op":"put","id":"{}","base_rev":0"#, ID.to_uppercase()), Some(InvalidOp));
    check(&format!(r#""op":"put","id":"{ID}","base_rev":-1"#), Some(InvalidOp));
    check(&put(r#""set":{}"#), None);
    check(&put(r#""extra":[1]"#), None);
    check(&put(r#""set":{"colour":"red"}"#), Some(InvalidContact));
    check(&put(r#""set":{"name":"\ud800"}"#), Some(InvalidContact));
    check(&put(r#""add":{"phones":[{"number":4155552671}]}"#), Some(InvalidContact));
    check(&put(r#""created_at":"yesterday""#), Some(InvalidContact));
}

#[test]
fn a_rejection_quotes_only_so_much() {
    let name = r#"\""#.repeat(100_000);
    let op = format!(
        r#"{{"op_seq":1,"op_id":"a","op":"put","id":"{ID}","base_rev":0,"set":{{"{name}":1}}}}"#
    );
    let rejection = read(&push(&op)).unwrap().ops.remove(0).op.unwrap_err();
    assert_eq!(rejection.detail.chars().count(), 300);
}

#[test]
fn what_a_device_writes_is_what_the_service_reads() {
    let edit = Edit {
        set: Set { name: Some(Some("Ann".parse().unwrap())), note: Some(None), ..Set::default() },
        add: Add { groups: vec!["vip".parse().unwrap()], ..Add::default() },
        remove: Remove { emails: vec!["a@x.org".parse().unwrap()], ..Remove::default() },
    };
    let created_at = Some("2026-11-22T09:00:00.000Z".parse().unwrap());
    let message = |kind, edit| {
        OpMessage {
            op_seq: 7,
            op_id: &"9f".parse().unwrap(),
            op: kind,
            id: ID.parse().unwrap(),
            base_rev: Rev(3),
            created_at,
            edit,
        }
        .to_json()
    };
    let ops = [message(Kind::Put, Some(&edit)), message(Kind::Delete, None)];
    let texts = ops.each_ref().map(|op| op.get());
    insta::assert_snapshot!(texts.join("\n"));
    let change = |text: &str| read(&push(text)).unwrap().ops.remove(0).op.unwrap().change;
    assert_eq!(change(texts[0]), Change::Put { created_at, edit: Box::new(edit) });
    assert_eq!(change(texts[1]), Change::Delete);
}

fn answers() -> (PushAnswer, PullAnswer) {
    let id: ContactId = ID.parse().unwrap();
    let user = "01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap();
    let key: NumberKey = "+14155552671".parse().unwrap();
    let fields = Fields {
        name: Some("Ann Lee".parse().unwrap()),
        phones: vec![crate::Phone {
            number: "(415) 555-2671".parse().unwrap(),
            region: "US".parse().unwrap(),
            key: Some(key),
            r#type: Some("mobile".parse().unwrap()),
            label: None,
            primary: true,
        }],
        ..Fields::default()
    };
    let at: Timestamp = "2026-11-22T10:00:00.000Z".parse().unwrap();
    let shown = Shown { created_at: at, updated_at: at, updated_by: user, fields };
    let row = |rev, form| Pulled { id, rev: Rev(rev), form };
    let visible = row(40, Form::Visible(Arc::new(shown)));
    let result = |op_seq, status| OpResult {
        op_seq,
        id: Some(id),
        status,
        rev: Some(Rev(42)),
        lost: None,
        rejection: None,
        contact: None,
    };
    let rejection = RejectionCode::UnknownContact.because("the book does not know it");
    let push = PushAnswer {
        epoch: "b1".into(),
        acked_seq: 9,
        rev: Rev(42),
        results: vec![
            OpResult { lost: Some(vec![Lost { key, owner: id }]), ..result(7, Status::Applied) },
            OpResult { contact: Some(row(41, Form::Deleted)), ..result(8, Status::Unchanged) },
            OpResult {
                id: None,
                rev: None,
                rejection: Some(rejection),
                ..result(9, Status::Rejected)
            },
        ],
    };
    let pull = PullAnswer {
        epoch: "b1".into(),
        contacts: vec![visible, row(41, Form::Hidden { owner: id }), row(42, Form::Deleted)],
        cursor: "opaque".into(),
        has_more: false,
        digest: Some(Digest::default().with(id, Rev(40))),
        rev: Rev(42),
        calls_rev: Some(Rev(7)),
    };
    (push, pull)
}

#[test]
fn answers_as_json() {
    let (push, pull) = answers();
    insta::assert_json_snapshot!(push);
    insta::assert_json_snapshot!(pull);
    let text = serde_json::to_string(&push).unwrap();
    assert_eq!(serde_json::from_str::<PushAnswer>(&text).unwrap(), push);
    let text = serde_json::to_string(&pull).unwrap();
    assert_eq!(serde_json::from_str::<PullAnswer>(&text).unwrap(), pull);
}

#[test]
fn a_page_is_made_of_rows_that_are_written() {
    let mut answer = answers().1;
    let expected = serde_json::to_string(&answer).unwrap();
    let rows = std::mem::take(&mut answer.contacts);
    let rows: Vec<String> = rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
    assert_eq!(PageRows(rows.join(",")).into_answer(&answer), expected);
}

#[test]
fn several_names() {
    #[track_caller]
    fn check(names: &[Option<&str>], are_several: bool) {
        let lines: Vec<Option<Line>> =
            names.iter().map(|name| name.map(|name| name.parse().unwrap())).collect();
        assert_eq!(are_several_names(lines.iter().map(Option::as_ref)), are_several, "{names:?}");
    }
    check(&[], false);
    check(&[Some("Ann")], false);
    check(&[Some("Ann"), Some("ANN "), Some("ann")], false);
    check(&[Some("Ann"), Some("Ann"), Some("Bob")], true);
    check(&[None, None], false);
    check(&[None, Some("Ann")], true);
}

#[test]
fn no_number_is_printed() {
    let (push, pull) = answers();
    let printed = format!("{push:?}{pull:?}");
    assert!(!printed.contains("2671"), "{printed}");
}
