package org.callbook.ui

import android.accounts.Account
import android.content.ContentResolver
import android.content.Context
import android.provider.ContactsContract
import android.provider.ContactsContract.RawContacts
import android.view.View
import android.widget.CheckBox
import android.widget.LinearLayout
import android.widget.RadioGroup
import android.widget.Switch
import org.callbook.R
import org.callbook.account.Accounts
import org.callbook.account.Books
import org.callbook.account.text
import org.callbook.sync.CALLS_AUTHORITY
import org.callbook.sync.Permissions
import org.json.JSONArray
import org.json.JSONObject

/** What of this phone the book gets: the part of a screen that shows it and takes it. */
class Choices(private val page: Page, private val root: View, private val account: Account) {
    private val contacts: Switch = root.findViewById(R.id.contacts_on)
    private val calls: RadioGroup = root.findViewById(R.id.calls)
    private val accounts: LinearLayout = root.findViewById(R.id.accounts)

    /** Another account on this phone that has contacts; without a type the phone itself. */
    data class Source(val name: String?, val type: String?, val contacts: Int) {
        fun json(): Any = if (type == null) JSONObject.NULL else JSONObject().put("name", name).put("type", type)
    }

    private var sources: List<Source> = emptyList()

    /** What was chosen is shown; [onReady] when that has been read. */
    fun load(onReady: () -> Unit = {}) {
        page.inBackground({
            val settings = Books.of(page, account).askObject("settings")
            settings to sources(page)
        }) { (settings, found) ->
            sources = found
            show(settings)
            onReady()
        }
    }

    private fun show(settings: JSONObject) {
        contacts.isChecked = ContentResolver.getSyncAutomatically(account, ContactsContract.AUTHORITY)
        val callsOn = ContentResolver.getSyncAutomatically(account, CALLS_AUTHORITY)
        calls.check(
            when (settings.getString("calls").takeIf { callsOn }) {
                "all" -> R.id.calls_all
                "in_book" -> R.id.calls_in_book
                else -> R.id.calls_none
            },
        )
        accounts.removeAllViews()
        for (source in sources) accounts.addView(CheckBox(page).apply {
            val name = source.name ?: page.getString(R.string.this_phone)
            val count = page.resources.getQuantityString(R.plurals.contacts_count, source.contacts, source.contacts)
            text = page.getString(R.string.account_with_contacts, name, count)
            textSize = 16f
            textAlignment = View.TEXT_ALIGNMENT_VIEW_START
            minHeight = (48 * resources.displayMetrics.density).toInt()
            isChecked = follows(settings.get("follow"), source)
        })
        root.findViewById<View>(R.id.accounts_label).showIf(sources.isNotEmpty())
    }

    private fun follows(follow: Any, source: Source): Boolean = when (follow) {
        "all" -> true
        "none" -> false
        else -> {
            val chosen = (follow as JSONObject).getJSONArray("chosen")
            (0 until chosen.length()).any { at ->
                if (chosen.isNull(at)) source.type == null
                else chosen.getJSONObject(at).let { it.text("name") == source.name && it.text("type") == source.type }
            }
        }
    }

    /** Which permissions what is chosen needs, and has not. */
    fun missing(): List<String> {
        val wanted = (if (contacts.isChecked) Permissions.CONTACTS else emptyList()) +
            (if (calls.checkedRadioButtonId != R.id.calls_none) Permissions.CALLS + Permissions.LINES else emptyList())
        return wanted.filterNot { Permissions.has(page, it) }
    }

    /** Writes down what is chosen; [then] when that is done. */
    fun save(then: () -> Unit) {
        val chosen = sources.filterIndexed { at, _ -> (accounts.getChildAt(at) as CheckBox).isChecked }
        val which = when (calls.checkedRadioButtonId) {
            R.id.calls_all -> "all"
            R.id.calls_in_book -> "in_book"
            else -> "none"
        }
        ContentResolver.setSyncAutomatically(account, ContactsContract.AUTHORITY, contacts.isChecked)
        ContentResolver.setSyncAutomatically(account, CALLS_AUTHORITY, which != "none")
        // Without the permission nobody has been asked about accounts: what stands stays.
        val follow: Any? = when {
            sources.isEmpty() -> null
            chosen.size == sources.size -> "all"
            chosen.isEmpty() -> "none"
            else -> JSONObject().put("chosen", JSONArray(chosen.map(Source::json)))
        }
        page.inBackground({
            val book = Books.of(page, account)
            val settings = book.askObject("settings").put("calls", which)
            follow?.let { settings.put("follow", it) }
            book.ask("set_settings") { put("settings", settings) }
        }) { then() }
    }

    companion object {
        /** Accounts on this phone that have contacts, but for Callbook's own. */
        fun sources(context: Context): List<Source> {
            if (!Permissions.hasAll(context, Permissions.CONTACTS)) return emptyList()
            val columns = arrayOf(RawContacts.ACCOUNT_NAME, RawContacts.ACCOUNT_TYPE)
            val found = try {
                context.contentResolver.query(RawContacts.CONTENT_URI, columns, "${RawContacts.DELETED} = 0", null, null)
                    ?.use { c ->
                        buildList<Pair<String?, String?>> { while (c.moveToNext()) add(c.getString(0) to c.getString(1)) }
                    }
            } catch (_: RuntimeException) {
                null
            }
            return found.orEmpty().filter { (_, type) -> type != Accounts.TYPE }.groupingBy { it }.eachCount()
                .map { (account, count) -> Source(account.first, account.second, count) }
                .sortedBy { it.name.orEmpty() }
        }
    }
}
