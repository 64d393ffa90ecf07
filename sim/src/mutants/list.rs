//! The mistakes: each one that a good engineer could make in this design. How they get into a program is in
//! `mutants.rs`.

/// A deliberate mistake: in one place of a file, another text.
pub(super) struct Mutant {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    /// An expression, once in the file; or, where `put` has the word MUTANT, any text.
    pub(super) find: &'static str,
    /// What stands there instead. MUTANT becomes whether this mistake is to be made.
    pub(super) put: &'static str,
}

/// In this file's place: a part of a statement's SQL.
pub(super) const SQL: &str = "SQL";

const fn m(
    name: &'static str,
    file: &'static str,
    find: &'static str,
    put: &'static str,
) -> Mutant {
    Mutant { name, file, find, put }
}

const OWNER: &str = "crates/dedup/src/owner.rs";
const BOOK: &str = "crates/contacts/src/plan/book.rs";
const PLAN: &str = "crates/contacts/src/plan.rs";
const DRAFT: &str = "crates/contacts/src/plan/draft.rs";
const CLOCK: &str = "crates/contacts/src/clock.rs";
const EDIT: &str = "crates/contacts/src/edit.rs";
const PUSH: &str = "crates/worker/src/routes/contacts.rs";
/// What runs the schema: mistakes in triggers and views are put into it here.
const MIGRATE: &str = "crates/worker/src/sqlite/migrate.rs";
const PULL: &str = "crates/device/src/engine/pull.rs";
const ENGINE: &str = "crates/device/src/engine.rs";
const RESTORED: &str = "crates/device/src/engine/restored.rs";
const CALLS: &str = "crates/device/src/engine/calls.rs";
const TAKE: &str = "crates/device/src/engine/phone/take.rs";
const GIVE: &str = "crates/device/src/engine/phone/give.rs";

#[rustfmt::skip]
pub(super) const ALL: &[Mutant] = &[
    // Who owns a number.
    m("the newest wins", OWNER,
        "self.claimants(key).next()", "self.claimants(key).last()"),
    m("of the same age the larger id wins", OWNER,
        "self.claimants(key).next()",
        "{ let oldest = self.claimants(key).next().map(|it| it.created_at);
           self.claimants(key).take_while(|it| Some(it.created_at) == oldest).last() }"),
    m("whoever arrives first owns", BOOK,
        "self.clocks.created_at(self.facts.device.floor, created_at)", "self.clocks.now"),
    m("the phone's clock is believed", BOOK,
        "self.clocks.created_at(self.facts.device.floor, created_at)",
        "created_at.unwrap_or(self.clocks.now)"),
    m("a time before the floor is believed", CLOCK,
        "self.correct(claimed).clamp(floor.min(self.now), self.now)",
        "self.correct(claimed).min(self.now)"),
    m("a number that is given up wakes nobody", DRAFT,
        "self.claims.unclaim(key, &contact.claim(id))", "()"),
    m("losers are not stamped", DRAFT,
        "before.is_some_and(same)", "before.is_some()"),
    m("in its own push a new contact is as old as the book", DRAFT,
        "self.claims.claim(*key, contact.claim(id))",
        "self.claims.claim(*key, match contact.rev {
            callbook_base::Rev(0) => Claim { created_at: self.held.clock, contact: id },
            _ => contact.claim(id),
        })"),
    m("shared numbers have one owner", DRAFT,
        "self.held.shared.contains(key)", "false"),
    // Deletes.
    m("a delete ignores an edit that it has not seen", PLAN,
        "self.edited_by_others.get(&delete.id).is_some_and(|edit| *edit > delete.base_rev)", "false"),
    m("a delete yields to its own device's edits", SQL,
        "WHERE device NOT IN (SELECT id FROM lineage)", ""),
    m("a delete lets hidden contacts appear", BOOK,
        "self.bury(heir, Some(op.id))", "()"),
    m("a delete takes visible heirs with it", BOOK,
        "shown.contains(&heir) || self.is_kept_by_its_phone(heir)", "self.is_kept_by_its_phone(heir)"),
    m("a contact that replaces another goes with it", BOOK,
        "shown.contains(&heir) || self.is_kept_by_its_phone(heir)", "shown.contains(&heir)"),
    m("a revived contact comes back alone", BOOK,
        "took.into_iter().filter(taken).collect()", "Vec::new()"),
    m("the deletes of a day are not counted", "crates/contacts/src/plan/deletes.rs",
        "asked + before", "asked"),
    // Edits.
    m("an edit removes after it adds", EDIT,
        "!remove.contains(there.identity())",
        "!remove.contains(there.identity()) || add.iter().any(|new| new.identity() == there.identity())"),
    m("extensions are one number", BOOK,
        "(self.facts.tables.key)(number.as_str(), region.as_str())",
        "(self.facts.tables.key)(number.as_str().split(\" ext\").next().unwrap_or_default(), region.as_str())"),
    // Exactly once.
    m("an op that was sent twice is done twice", PLAN,
        "_ if op.op_seq <= acked =>", "_ if op.op_seq <= acked && !MUTANT =>"),
    m("a copied phone's ops are taken for the other's", PLAN,
        "is_replay && !(first.unwrap_or(1)..).zip(op_ids).any(is_last_acked)", "false"),
    m("the ops behind those of a push are not looked at", PLAN,
        ".chain(&push.also_sent)", ".chain(push.also_sent.iter().filter(|_| !MUTANT))"),
    m("a push of fewer ops does not name those behind", "crates/device/src/engine/push.rs",
        "behind.filter(|_| is_reduced)", "behind.filter(|_| is_reduced && !MUTANT)"),
    m("a refresh whose answer was lost is one of a copy", "crates/auth/src/refresh.rs",
        "again || successor", "successor || (again && sent.parent.is_none())"),
    m("each try has another op_seq", "crates/device/src/engine/push.rs",
        "self.state.acked_seq + 1..", "self.state.acked_seq + 1 + u64::from(self.failures).."),
    m("what a request dies of is asked for again", ENGINE,
        "self.deaths >= DEATHS", "false"),
    // Guards of a write.
    m("a push does not ask whether the book has moved", SQL,
        "WHEN rev = ?1 AND epoch = ?7 AND coalesce(rekey_to, tables) = ?5 THEN ?2 END",
        "WHEN ?1 >= 0 AND ?7 <> '' AND ?5 <> '' THEN ?2 END"),
    m("a push does not ask for the floor", SQL,
        "floor IS ?8", "coalesce(?8, 0) >= 0"),
    m("a push without changes does not ask for the book", SQL,
        "(SELECT rev FROM book WHERE epoch = ?11) = ?9", "?9 >= 0 AND ?11 <> ''"),
    m("the counter is written in another batch", PUSH,
        "app.database.batch(writes).await",
        "match plan.changes.rev != facts.held.rev && plan.device != facts.device {
             false => app.database.batch(writes).await,
             true => {
                 let counter = writes.remove(1);
                 match app.database.batch(writes).await {
                     Ok(_) => app.database.batch(vec![counter]).await,
                     error => error,
                 }
             }
         }"),
    m("a write that failed is answered as done", PUSH,
        "written => written?,", "written if !MUTANT => written?, written => written.unwrap_or_default(),"),
    m("a disabled user's last push is written", SQL,
        " AND NOT (SELECT u.disabled FROM users AS u WHERE u.id = devices.user)", ""),
    m("a revoked device pushes calls", SQL,
        "AND d.ended_at IS NULL AND NOT u.disabled)", ")"),
    m("a revoked device is let in", "crates/worker/src/sql/devices.rs",
        "device.ended_at.is_some()", "false"),
    // What a pull shows.
    m("a pull shows numbers that others own", MIGRATE,
        "run(connection, sql)", "run(connection, &sql.replace(\"instr(asleep, \", \"instr('[]', \"))"),
    m("only an edit changes what phones are sent", MIGRATE,
        "run(connection, sql)", "run(connection, &sql.replace(\"AFTER UPDATE ON\", \"AFTER UPDATE OF fields ON\"))"),
    m("a stamp counts as an edit", SQL,
        "deleted_at = given.deleted_at, rev = ?3", "deleted_at = given.deleted_at, rev = ?3, edit_at = (SELECT clock FROM book)"),
    m("who edited first stays the last who did", SQL,
        "edit_user = excluded.edit_user, edit_device", "edit_device"),
    // Digests, cursors, revs.
    m("a digest does not tell revs apart", "crates/contacts/src/digest.rs",
        "rev.0", "0"),
    m("a purge takes no rev", SQL,
        "WHEN rev = ?1 AND epoch = ?2 THEN rev + 1 END", "WHEN rev = ?1 AND epoch = ?2 THEN rev END"),
    m("calls are pulled from the start after a push", CALLS,
        "State { calls_taken_to, ..self.state.clone() }",
        "State { calls_taken_to, calls_cursor: None, ..self.state.clone() }"),
    m("the book's digest keeps what is gone", DRAFT,
        "changes.digest.without(id, before.rev)", "changes.digest"),
    m("the phone's digest keeps what is gone", PULL,
        "digest.without(id, before)", "digest"),
    m("the book forgets to count a contact", DRAFT,
        "changes.visible += 1", "()"),
    m("a cursor has the rev and not the last row", PUSH,
        "(rev, id.to_string(), first)", "(rev, String::new(), first)"),
    m("a pull goes on with the next rev", SQL,
        "WHERE (p.rev, p.id) > (?1, ?2)\n                AND (p.state = 0", "WHERE p.rev > ?1 AND ?2 <> ''\n                AND (p.state = 0"),
    m("a first pull misses what goes meanwhile", SQL,
        "(p.state = 0 OR p.rev > coalesce(?3, (SELECT rev FROM book)))", "(p.state = 0 OR (p.rev > ?3 AND ?3 = 0))"),
    m("calls do not count", SQL,
        "THEN calls_rev + 1 END", "THEN calls_rev END"),
    // What is old.
    m("an old answer is taken for the awaited one", ENGINE,
        "*waiting == id", "true"),
    m("a 410 drops the outbox", ENGINE,
        "(410, Sent::PullContacts) => self.resync()?,",
        "(410, Sent::PullContacts) => {
            let places: Vec<u64> = self.outbox.ops().map(|op| op.place).filter(|_| MUTANT).collect();
            for place in places {
                self.commit(self.state.clone(), vec![StoreChange::RemoveOp(place)])?;
                self.outbox.remove(place);
            }
            self.resync()?
        }"),
    m("a pull from the start sweeps nothing", PULL,
        "self.store.not_seen_in(state.pass)?", "Vec::new()"),
    m("a cursor from before a purge is let in", "crates/worker/src/routes/paging.rs",
        "knows_deletes_to >= purged_rev", "true"),
    m("a purge does not wait for phones", SQL,
        "WHERE d.pulled_rev > 0 AND d.ended_at", "WHERE d.pulled_rev < 0 AND d.ended_at"),
    m("young tombstones are purged", "crates/worker/src/purge.rs",
        "moment.now.before(self.tombstones_kept)", "moment.now"),
    m("re-keying passes over tombstones", SQL,
        "SELECT id, fields, size, sum(size) OVER (ORDER BY id) AS total FROM contacts",
        "SELECT id, fields, size, sum(size) OVER (ORDER BY id) AS total FROM (SELECT * FROM contacts WHERE state < 2)"),
    // Restores.
    m("after a restore nothing is sent again", RESTORED,
        "op.acked.filter(|acked| *acked <= rev)", "op.acked"),
    m("after a restore nothing is kept for the user", RESTORED,
        "let Some(agrees_to) = self.state.agrees_to else { return Ok(None) };",
        "let Some(agrees_to) = self.state.agrees_to.filter(|_| !MUTANT) else { return Ok(None) };"),
    m("after a restore revs are those of before", RESTORED,
        "Some(mirrored) if mirrored.pass < self.state.pass => at_most(mirrored.rev, agrees_to),",
        "Some(mirrored) if mirrored.pass < self.state.pass && !MUTANT => at_most(mirrored.rev, agrees_to),"),
    m("after a restore nothing is asked for by name", PULL,
        "Some(rev) => self.store.changed_after(rev, self.state.pass, most),", "Some(_) if MUTANT => Ok(Vec::new()),
            Some(rev) => self.store.changed_after(rev, self.state.pass, most),"),
    m("after a restore what has gone stays away", "crates/device/src/store/memory.rs",
        "!self.contacts.contains_key(id)", "false"),
    m("a phone that came late knows what has gone", RESTORED,
        "knows_gone_after.is_some_and(|it| it <= rev)", "true"),
    m("a cursor of the book before is not cut", "crates/worker/src/routes/paging.rs",
        "ended.rev.min(fork)", "ended.rev"),
    m("after a restore calls are not pushed again", CALLS,
        "self.state.user.map(|user| self.store.calls_of(user)).transpose()?", "None::<Vec<callbook_calls::wire::PulledCall>>"),
    m("after a restore the phone keeps revs of before", RESTORED,
        "link.rev > Some(rev)", "false"),
    // The phone's own contacts.
    m("what was typed gets the region of another SIM", "crates/device/src/engine/people.rs",
        "self.outbox.ops().filter_map(|op| op.written_in(before)).collect()", "Vec::new()"),
    m("a phone that has lost its store has no region", "crates/device/src/engine/people.rs",
        "region == self.state.region", "region == self.state.region || self.state.device.is_none()"),
    m("a number that is there gets the region of the push", EDIT,
        "there.filter(|_| new.region.is_none())", "there.filter(|_| false)"),
    m("what is typed into Callbook's account is no change", TAKE,
        "!own || head.dirty", "!own"),
    m("a contact that Callbook wrote is not known again", "crates/device/src/engine/phone.rs",
        "head.source_id.as_deref()?.parse().ok()", "None"),
    m("a number changed on a phone was written there", "crates/device/src/provider/fields.rs",
        "there.number == phone.number", "false"),
    m("what the book has no more stays on the phone", GIVE,
        "pass.queue([group])", "drop(group)"),
    m("a raw contact with another's id is taken for it", TAKE,
        "is_own(head) == link.own && (!link.own || says(head, link))", "true"),
    m("a contact of the book is written once more", GIVE,
        "self.links.own(*id)", "self.links.own(*id).filter(|link| link.rev.is_some())"),
    // At a desk.
    m("what is brought back keeps what came after", EDIT,
        "fields.phones.iter().map(|phone| phone.number.clone()).collect()", "Vec::new()"),
    m("a number is told apart from a contact that keeps it", "crates/contacts/src/plan/puts.rs",
        "phone.key == Some(key)", "phone.key != Some(key)"),
    // Power.
    m("a page and its cursor are two commits", ENGINE,
        "self.store.commit(changes)?;",
        "if MUTANT && changes.len() > 2 {
            let state = changes.pop().into_iter().collect();
            self.store.commit(state)?;
        }
        self.store.commit(changes)?;"),
    // Who meets whom.
    m("an edit that has not seen the last does nothing", BOOK,
        "there.is_some_and(|there| there.contact.state.is_live() && after == *before)",
        "there.is_some_and(|there| {
            let last = &there.contact.edit;
            let is_unseen = last.rev > op.base_rev && last.device != self.facts.id;
            there.contact.state.is_live() && (after == *before || is_unseen)
        })"),
    m("an answer acknowledges what was typed meanwhile", "crates/device/src/engine/push.rs",
        "for (index, place) in places[..taken].iter().enumerate() {",
        "let waiting: Vec<u64> = self.outbox.unacked().map(|op| op.place).collect();
        let taken_now = if MUTANT && taken > 0 { &waiting[..] } else { &places[..taken] };
        for (index, place) in taken_now.iter().enumerate() {"),
    m("an instance remembers the last op of a device", PUSH,
        "let plan = plan(&facts, &push, moment.now)?;",
        "type Last = std::collections::BTreeMap<(usize, callbook_base::DeviceId), callbook_contacts::Device>;
        static LAST: std::sync::Mutex<Last> = std::sync::Mutex::new(Last::new());
        let (mut facts, here) = (facts, (Arc::as_ptr(&app) as usize, access.device));
        if MUTANT {
            let last = LAST.lock().expect(\"a run has one thread\").get(&here).cloned();
            let is_written = |last: &callbook_contacts::Device| last.acked_seq <= facts.device.acked_seq;
            facts.device = last.filter(is_written).unwrap_or(facts.device);
        }
        let plan = plan(&facts, &push, moment.now)?;
        if MUTANT {
            LAST.lock().expect(\"a run has one thread\").insert(here, plan.device.clone());
        }"),
    m("a phone of the same name counts on", SQL,
        "?2 AND password = ?8 AND NOT disabled), ?3, ?4, ?5,\n           (SELECT id FROM devices WHERE id = ?6 AND user = ?2), ?7, ?9, 0, '[]')",
        "?2 AND password = ?8 AND NOT disabled), ?3, ?4, ?5,
           (SELECT id FROM devices WHERE id = ?6 AND user = ?2), ?7, ?9,
           coalesce((SELECT max(acked_seq) FROM devices WHERE user = ?2 AND name = ?3), 0), '[]')"),
    m("a user may do what their token says", "crates/worker/src/app.rs",
        "Ok((devices::read_session(&rows[0])?, rest))",
        "let mut session = devices::read_session(&rows[0])?;
        if MUTANT {
            session.user.role = access.role;
        }
        Ok((session, rest))"),
    // What others do to the schema and to the phone.
    m("an insert does not name its columns", SQL,
        "INSERT INTO history (contact, rev, at, user, device, fields)", "INSERT INTO history"),
    m("a release takes older keys for its own", "crates/worker/src/sql/book.rs",
        "self.rekeyed_to.is_none() && self.tables == tables.version", "true"),
    m("what is not there was deleted", TAKE,
        "self.note_links(moved, strayed)?;",
        "if MUTANT {
            let missing = self.links.iter().filter(|link| link.own && !pass.heads.contains_key(&link.raw));
            let missing = missing.filter_map(|link| Some((link.id?, Change::Delete, link.rev)));
            let missing: Vec<_> = missing.collect();
            self.note(missing, Vec::new(), Vec::new(), chance)?;
        }
        self.note_links(moved, strayed)?;"),
    m("a clock is put right by a minute at most", CLOCK,
        "self.correct(claimed).clamp(floor.min(self.now), self.now)",
        "{ let right = self.correct(claimed);
           let is_small = right.millis_since(claimed).abs() <= 60_000;
           (if is_small { right } else { claimed }).clamp(floor.min(self.now), self.now) }"),
];
