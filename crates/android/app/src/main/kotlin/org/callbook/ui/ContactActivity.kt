package org.callbook.ui

import android.accounts.Account
import android.app.AlertDialog
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.provider.ContactsContract.RawContacts
import android.view.LayoutInflater
import android.view.View
import android.widget.LinearLayout
import android.widget.TextView
import org.callbook.account.account
import org.callbook.R
import org.callbook.account.Api
import org.callbook.account.Books
import org.callbook.account.list
import org.callbook.account.objects
import org.callbook.account.text
import org.callbook.engine.CallbookException
import org.callbook.sync.Schedule
import org.json.JSONObject

/** A contact of the book: what the phone has of it at once, and what only the server knows when it answers. */
class ContactActivity : Page() {
    private lateinit var account: Account
    private lateinit var id: String
    private lateinit var parts: LinearLayout

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        account = intent.account(ACCOUNT) ?: return finish()
        id = intent.getStringExtra(ID) ?: return finish()
        setContentView(R.layout.contact)
        parts = findViewById(R.id.parts)
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        findViewById<View>(R.id.edit).setOnClickListener { edit() }
    }

    override fun onResume() {
        super.onResume()
        if (!isFinishing) load()
    }

    private fun load() = inBackground({ local(id) }) { contact ->
        if (contact == null) {
            setTitle(R.string.contact_gone)
            findViewById<TextView>(R.id.title).text = title
            findViewById<View>(R.id.edit).showIf(false)
        } else {
            show(contact)
        }
        inBackground({ fromServer() }) { known ->
            if (known == null) {
                inBackground(::callsOfPhone, ::showCalls)
                return@inBackground
            }
            if (contact == null) show(known.contact)
            showKnown(known)
        }
    }

    private fun local(id: String): JSONObject? = try {
        Books.of(this, account).ask("contact") { put("id", id) } as? JSONObject
    } catch (_: CallbookException) {
        null
    }

    /** What the server knows of it, and what the contacts go by that have its numbers in its place. */
    private class Known(val answer: JSONObject, val owners: Map<String, String>) {
        val contact: JSONObject = answer.getJSONObject("contact")

        fun list(name: String): List<JSONObject> = answer.getJSONArray(name).objects()
    }

    /** `null` when there is no way to it: what the phone has is shown all the same. */
    private fun fromServer(): Known? = try {
        val answer = Api(this, account).get("/contacts/$id")
        val owners = answer.getJSONObject("contact").getJSONArray("lost").objects().map { it.getString("owner") }.distinct()
        Known(answer, owners.associateWith { owner ->
            local(owner)?.let { ContactWords.title(this, it) } ?: getString(R.string.another_contact)
        })
    } catch (_: Api.Refused) {
        null
    }

    /** Without the network: those that the phone has pulled. */
    private fun callsOfPhone(): List<JSONObject> = try {
        Books.of(this, account).askList("calls") { put("limit", MOST_OWN) }
            .filter { it.optJSONObject("contact")?.getString("id") == id }
    } catch (_: CallbookException) {
        emptyList()
    }

    private fun show(contact: JSONObject) {
        parts.removeAllViews()
        title = ContactWords.title(this, contact)
        findViewById<TextView>(R.id.title).text = title
        val work = listOfNotNull(contact.text("title"), contact.text("organization")).joinToString(", ")
        findViewById<TextView>(R.id.subtitle).apply {
            text = work
            showIf(work.isNotEmpty())
        }
        for (phone in contact.list("phones")) addNumber(phone)
        val links = listOf("emails" to "mailto:", "urls" to "", "addresses" to "geo:0,0?q=")
        for ((list, scheme) in links) for (entry in contact.list(list)) {
            val value = entry.getString("value")
            add(value, ContactWords.kind(this, list, entry)) {
                open(Intent(Intent.ACTION_VIEW, Uri.parse(scheme + if (list == "addresses") Uri.encode(value) else value)))
            }
        }
        contact.text("birthday")?.let { add(it, getString(R.string.birthday)) }
        contact.text("note")?.let { add(it, getString(R.string.note)) }
    }

    private fun addNumber(phone: JSONObject) {
        val number = phone.getString("number")
        val row = add(number.ltr(), ContactWords.kind(this, "phones", phone)) {
            open(Intent(Intent.ACTION_DIAL, Uri.fromParts("tel", number, null)))
        }
        row.contentDescription = getString(R.string.call_number, number)
        val key = phone.text("key") ?: return
        row.setOnLongClickListener {
            numberMenu(number, phone.text("region").orEmpty(), key)
            true
        }
        row.findViewById<View>(R.id.more).apply {
            showIf(true)
            contentDescription = getString(R.string.more_of, number)
            setOnClickListener { numberMenu(number, phone.text("region").orEmpty(), key) }
        }
    }

    /** A number may be of several people, and a contact may have one that is not theirs. */
    private fun numberMenu(number: String, region: String, key: String) {
        val shared = listOf(true to R.string.mark_shared, false to R.string.mark_not_shared).map { (isShared, words) ->
            words to {
                inBackground({
                    Books.of(this, account).ask("share") { put("number", number).put("region", region).put("shared", isShared) }
                    Schedule.now(this, account)
                }) { say(R.string.will_be_synced) }
            }
        }
        val choices = shared + (R.string.not_the_same to { change("split", JSONObject().put("key", key)) })
        AlertDialog.Builder(this).setTitle(number)
            .setItems(choices.map { getString(it.first) }.toTypedArray()) { _, at -> choices[at].second() }
            .show()
    }

    /** Where its numbers are, who has changed it when, its hidden duplicates, its calls. */
    private fun showKnown(known: Known) {
        val contact = known.contact
        showState(known)
        showCalls(known.list("calls"))
        val duplicates = known.list("duplicates")
        heading(R.string.hidden_duplicates, duplicates)
        for (duplicate in duplicates) {
            val numbers = ContactWords.numbers(duplicate).joinToString(" · ") { it.ltr() }
            add(ContactWords.title(this, duplicate), getString(R.string.younger, since(duplicate), numbers)) {
                startActivity(intent(this, account, duplicate.getString("id")))
            }
        }
        val history = known.list("history")
        heading(R.string.history, listOf(contact))
        add(ContactWords.title(this, contact), saved(known.answer.text("updated_by_name"), contact.getString("updated_at")))
        for (revision in history) {
            val fields = revision.getJSONObject("fields")
            add(ContactWords.title(this, fields), saved(revision.text("username"), revision.getString("at"))) {
                askRestore(revision.getLong("rev"), fields)
            }
        }
    }

    private fun showCalls(calls: List<JSONObject>) {
        heading(R.string.calls, calls)
        for (call in calls.take(MOST_CALLS)) {
            val (icon, direction) = CallWords.direction(call.getString("direction"))
            add(getString(direction), CallWords.about(this, call)).findViewById<View>(R.id.icon)
                .let { it.showIf(true); (it as android.widget.ImageView).setImageResource(icon) }
        }
    }

    /** Of one that no phone shows, why; and which of its numbers older contacts keep. */
    private fun showState(known: Known) {
        val contact = known.contact
        contact.text("deleted_at")?.let { add(getString(R.string.deleted_on, Times.day(this, it)), null) }
        for (lost in contact.getJSONArray("lost").objects()) {
            val owner = lost.getString("owner")
            add(getString(R.string.number_kept_by, known.owners.getValue(owner)), lost.getString("key").ltr()) {
                startActivity(intent(this, account, owner))
            }
        }
    }

    private fun since(contact: JSONObject): String = Times.day(this, contact.getString("created_at"))

    private fun saved(by: String?, at: String): String {
        val day = Times.day(this, at)
        return if (by == null) getString(R.string.saved_on, day) else getString(R.string.saved_by, by, day)
    }

    private fun askRestore(rev: Long, fields: JSONObject) {
        val said = listOf(ContactWords.title(this, fields)) + ContactWords.numbers(fields)
        AlertDialog.Builder(this).setTitle(R.string.restore_title).setMessage(said.joinToString("\n"))
            .setPositiveButton(R.string.restore) { _, _ -> change("restore", JSONObject().put("rev", rev)) }
            .setNegativeButton(android.R.string.cancel, null).show()
    }

    private fun change(what: String, body: JSONObject) = changeContact(account, id, what, body, ::load)

    private fun heading(words: Int, list: List<JSONObject>) {
        if (list.isEmpty()) return
        val heading = LayoutInflater.from(this).inflate(R.layout.heading, parts, false) as TextView
        heading.setText(words)
        parts.addView(heading)
    }

    private fun add(line1: String, line2: String?, open: (() -> Unit)? = null): View {
        val row = LayoutInflater.from(this).inflate(R.layout.row, parts, false)
        row.findViewById<TextView>(R.id.line1).text = line1
        row.findViewById<TextView>(R.id.line2).apply {
            text = line2
            showIf(!line2.isNullOrEmpty())
        }
        if (open != null) row.setOnClickListener { open() } else row.background = null
        parts.addView(row)
        return row
    }

    /** In the phone's own editor, where it is among the phone's contacts. */
    private fun edit() = inBackground({
        try {
            contentResolver.query(
                RawContacts.CONTENT_URI, arrayOf(RawContacts._ID),
                "${RawContacts.SOURCE_ID} = ? AND ${RawContacts.ACCOUNT_NAME} = ? AND ${RawContacts.DELETED} = 0",
                arrayOf(id, account.name), null,
            )?.use { if (it.moveToFirst()) Uri.withAppendedPath(RawContacts.CONTENT_URI, it.getString(0)) else null }
                ?.let { RawContacts.getContactLookupUri(contentResolver, it) ?: it }
        } catch (_: RuntimeException) {
            null
        }
    }) { uri ->
        if (uri == null) say(R.string.not_on_phone)
        else open(Intent(Intent.ACTION_EDIT, uri).putExtra("finishActivityOnSaveCompleted", true))
    }

    companion object {
        private const val ACCOUNT = "account"
        private const val ID = "id"
        private const val MOST_CALLS = 20

        /** Of the phone's own so many are looked through, the latest. */
        private const val MOST_OWN = 2_000

        fun intent(context: Context, account: Account, id: String): Intent =
            Intent(context, ContactActivity::class.java).putExtra(ACCOUNT, account).putExtra(ID, id)
    }
}
