package org.callbook.ui

import android.app.ActivityManager
import android.os.Build
import android.os.PowerManager
import android.view.LayoutInflater
import android.view.View
import android.widget.Button
import android.widget.LinearLayout
import android.widget.TextView
import java.time.Instant
import org.callbook.R
import org.callbook.Work
import org.callbook.account.Api
import org.callbook.account.Book
import org.callbook.account.Books
import org.callbook.account.Notes
import org.callbook.account.objects
import org.callbook.account.text
import org.callbook.engine.CallbookException
import org.callbook.sync.Answers
import org.callbook.sync.Permissions
import org.callbook.sync.Schedule
import org.callbook.sync.Sync
import org.callbook.sync.SyncState
import org.callbook.sync.Syncing
import org.json.JSONObject

/** Whether phone and book are in step, what needs the user, and what was removed or put aside. */
class DashboardTab(main: MainActivity) : Tab(main, R.layout.dashboard, R.string.overview, R.drawable.ic_home) {
    private fun <T : View> find(id: Int): T = view.findViewById(id)

    init {
        find<Button>(R.id.sync).setOnClickListener { sync() }
        find<PullToSync>(R.id.pull).onPull = ::sync
    }

    /** At once: its user looks on. */
    private fun sync() {
        val app = main.applicationContext
        val account = main.account
        if (SyncState.progress(account) == null) Work.run { Syncing.run(app, account, Sync(app, account)) }
    }

    /** How the book stands; [trouble] when it cannot be asked. */
    private class Facts(
        val status: JSONObject?,
        val duplicates: List<Item>,
        /** The contacts that have removed these. */
        val owners: Set<String>,
        val aside: List<Item>,
        val trouble: String?,
    )

    /** A card: what it says, and what may be done about it. */
    class Item(val title: String, val text: String, vararg val buttons: Pair<Int, () -> Unit>)

    override fun refresh() = main.inBackground({
        try {
            val book = Books.of(main, main.account)
            val duplicates = book.askList("duplicates").sortedByDescending { it.getString("at") }.take(MOST_ITEMS)
            val owners = duplicates.map { it.getString("owner") }.toSet()
            Notes.of(main, main.account).keepOrigins(owners)
            Facts(book.askObject("status"), duplicates.map { duplicate(book, it) }, owners, aside(book), null)
        } catch (e: CallbookException) {
            Facts(null, emptyList(), emptySet(), emptyList(), e.code)
        }
    }, ::show)

    override fun onSync() = refresh()

    private fun show(facts: Facts) {
        val notes = Notes.of(main, main.account)
        val progress = SyncState.progress(main.account)
        val waiting = facts.status?.let { it.getInt("unpushed") + it.getInt("unpushed_calls") } ?: 0
        val needs = needs(facts, notes)
        find<TextView>(R.id.state).apply {
            text = when {
                progress != null && progress > 0 -> plural(R.plurals.contacts_written, progress.toInt())
                progress != null -> main.getString(R.string.syncing)
                needs.isNotEmpty() -> main.getString(R.string.needs_you)
                notes.failure != null -> main.getString(R.string.not_in_step)
                notes.lastSync == null -> main.getString(R.string.not_yet)
                waiting > 0 -> main.getString(R.string.changes_waiting)
                else -> main.getString(R.string.in_step)
            }
            setTextColor(main.getColor(if (needs.isNotEmpty() || notes.failure != null) R.color.warn else R.color.well))
        }
        line(R.id.last, notes.lastSync?.let { main.getString(R.string.last_sync, Times.ago(main, it)) })
        val next = notes.wakeAt?.takeIf { it > Instant.now() }
        line(R.id.next, next?.let { main.getString(R.string.next_sync, Times.soon(main, it)) })
        line(R.id.waiting, waiting.takeIf { it > 0 }?.let { plural(R.plurals.waiting, it) })
        find<View>(R.id.progress).showIf(progress != null)
        find<Button>(R.id.sync).isEnabled = progress == null
        fill(R.id.needs, needs, warns = true)
        fill(R.id.offers, offers(notes))
        fill(R.id.duplicates, facts.duplicates)
        askOrigins(facts.owners)
        find<View>(R.id.duplicates_title).showIf(facts.duplicates.isNotEmpty())
        find<View>(R.id.duplicates_text).showIf(facts.duplicates.isNotEmpty())
        fill(R.id.aside, facts.aside)
        find<View>(R.id.aside_title).showIf(facts.aside.isNotEmpty())
    }

    /** What only the user can mend, the gravest first. */
    private fun needs(facts: Facts, notes: Notes): List<Item> = buildList {
        facts.trouble?.let { add(Item(main.getString(R.string.cannot_open), Words.failure(main, it))) }
        notes.signIn?.let {
            add(Item(main.getString(R.string.notice_sign_in), Words.signIn(main, it), R.string.sign_in to {
                main.startActivity(SignInActivity.intent(main, main.account))
            }))
        }
        val deletes = facts.status?.getInt("unconfirmed_deletes") ?: 0
        if (deletes > 0) {
            add(Item(plural(R.plurals.notice_deletes, deletes), main.getString(R.string.notice_deletes_text),
                R.string.bring_back to { answer("drop_deletes") }, R.string.delete_all to { answer("confirm_deletes") }))
        }
        val missing = Permissions.missing(main, main.account)
        if (missing.isNotEmpty()) {
            add(Item(main.getString(R.string.notice_permission), main.getString(R.string.notice_permission_text),
                R.string.allow to { main.requestPermissions(missing.toTypedArray(), MainActivity.ALLOW) }))
        }
        if (Build.VERSION.SDK_INT >= 28 && main.getSystemService(ActivityManager::class.java).isBackgroundRestricted) {
            add(Item(main.getString(R.string.restricted), main.getString(R.string.restricted_text),
                R.string.open_settings to main::openAppSettings))
        }
        notes.failure?.let { add(Item(main.getString(R.string.notice_failing), Words.failure(main, it))) }
        facts.status?.optJSONObject("problem")?.let {
            add(Item(main.getString(R.string.notice_failing), main.getString(R.string.needs_update)))
        }
    }

    /** What would help, once all else is well, and may be refused for good. */
    private fun offers(notes: Notes): List<Item> {
        val sleeps = !main.getSystemService(PowerManager::class.java).isIgnoringBatteryOptimizations(main.packageName)
        if (notes.lastSync == null || notes.batteryAnswered || !sleeps) return emptyList()
        fun answered(then: () -> Unit) = {
            notes.batteryAnswered = true
            then()
            refresh()
        }
        return listOf(Item(main.getString(R.string.battery), main.getString(R.string.battery_text),
            R.string.allow to answered(main::askForBattery), R.string.not_now to answered {}))
    }

    private fun answer(command: String) = main.inBackground({ Answers.answer(main, main.account, command) }) { refresh() }

    private fun duplicate(book: Book, duplicate: JSONObject): Item {
        val owner = duplicate.getString("owner")
        val contact = book.ask("contact") { put("id", owner) } as? JSONObject
        val older = contact?.let { ContactWords.title(main, it) } ?: main.getString(R.string.another_contact)
        val ago = Times.ago(main, Instant.parse(duplicate.getString("at")))
        val origin = Notes.of(main, main.account).origin(owner)
        val id = duplicate.getString("id")
        return Item(
            ContactWords.title(main, duplicate.getJSONObject("had")),
            if (origin == null) main.getString(R.string.duplicate_of, older, ago)
            else main.getString(R.string.duplicate_of_by, older, ago, origin.by.isolated(), Times.day(main, origin.at)),
            R.string.undo to { change("undo_duplicate", id) },
            R.string.seen to { change("forget_duplicate", id) },
        )
    }

    /** Contacts that the server was asked of since this screen was opened. */
    private val asked = HashSet<String>()

    /** By whom those contacts are that have removed others: the server alone knows. It is asked once of each. */
    private fun askOrigins(owners: Set<String>) {
        val notes = Notes.of(main, main.account)
        val unknown = owners.filter { it !in asked && notes.origin(it) == null }.take(MOST_ORIGINS)
        if (unknown.isEmpty()) return
        asked += unknown
        main.inBackground({ unknown.count { learnOrigin(notes, it) } }) { learned -> if (learned > 0) refresh() }
    }

    private fun learnOrigin(notes: Notes, id: String): Boolean = try {
        val known = Api(main, main.account).get("/contacts/$id")
        val first = known.getJSONArray("history").objects().lastOrNull()
        val by = if (first != null) first.text("username") else known.text("updated_by_name")
        val at = first?.getString("at") ?: known.getJSONObject("contact").getString("updated_at")
        by?.let { notes.putOrigin(id, Notes.Origin(it, at)) } != null
    } catch (_: Api.Refused) {
        false
    }

    private fun change(command: String, id: String) = main.inBackground({
        Books.of(main, main.account).ask(command) { put("id", id) }
        if (command == "undo_duplicate") Schedule.now(main, main.account)
    }) { refresh() }

    private fun aside(book: Book): List<Item> {
        val count = Notes.of(main, main.account).unreadable
        val unread = Item(plural(R.plurals.unreadable, count), main.getString(R.string.unreadable_text))
        val unfit = book.askList("unfit").map { link ->
            Item(ContactWords.title(main, link.getJSONObject("has")), ContactWords.unfit(main, link.text("unfit")))
        }
        val aside = book.askList("aside").filterNot(ContactWords::isUnconfirmedDelete).map { aside ->
            val place = org.json.JSONArray().put(aside.getLong("place"))
            val contact = book.ask("contact") { put("id", aside.getString("id")) } as? JSONObject
            Item(
                contact?.let { ContactWords.title(main, it) } ?: main.getString(R.string.another_contact),
                ContactWords.aside(main, aside.get("why")),
                R.string.send_again to { put("send_aside", place) },
                R.string.drop to { put("drop_aside", place) },
            )
        }
        val ids = book.ask("not_taken") as org.json.JSONArray
        val notTaken = List(ids.length(), ids::getString).mapNotNull { id ->
            val contact = book.ask("contact") { put("id", id) } as? JSONObject
            contact?.let { Item(ContactWords.title(main, it), main.getString(R.string.not_taken)) }
        }
        return (listOf(unread).filter { count > 0 } + unfit + notTaken + aside).take(MOST_ITEMS)
    }

    private fun put(command: String, places: org.json.JSONArray) = main.inBackground({
        Books.of(main, main.account).ask(command) { put("places", places) }
        Schedule.now(main, main.account)
    }) { refresh() }

    private fun line(id: Int, text: String?) = find<TextView>(id).run {
        this.text = text
        showIf(text != null)
    }

    private fun fill(id: Int, items: List<Item>, warns: Boolean = false) = find<LinearLayout>(id).run {
        removeAllViews()
        for (item in items) addView(card(this, item, warns))
    }

    private fun card(parent: LinearLayout, item: Item, warns: Boolean): View {
        val card = LayoutInflater.from(main).inflate(R.layout.item, parent, false)
        if (warns) card.setBackgroundResource(R.drawable.card_warn)
        card.findViewById<TextView>(R.id.line1).text = item.title
        card.findViewById<TextView>(R.id.line2).text = item.text
        for ((button, action) in listOf(R.id.button1, R.id.button2).zip(item.buttons)) {
            card.findViewById<Button>(button).apply {
                setText(action.first)
                contentDescription = "$text: ${item.title}"
                setOnClickListener { action.second() }
                showIf(true)
            }
        }
        return card
    }

    private fun plural(id: Int, count: Int) = main.resources.getQuantityString(id, count, count)

    private companion object {
        /** More than that nobody reads at once. */
        const val MOST_ITEMS = 50

        /** Of so many the server is asked at once. */
        const val MOST_ORIGINS = 10
    }
}
