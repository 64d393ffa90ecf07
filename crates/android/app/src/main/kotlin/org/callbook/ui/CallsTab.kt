package org.callbook.ui

import android.app.AlertDialog
import android.content.Intent
import android.net.Uri
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.Button
import android.widget.EditText
import android.widget.ImageView
import android.widget.ListView
import android.widget.TextView
import org.callbook.R
import org.callbook.account.Accounts
import org.callbook.account.Books
import org.callbook.account.text
import org.callbook.engine.CallbookException
import org.json.JSONObject

/**
 * The team's calls by day, as the server names them from the book: who spoke with whom. Without the network those that
 * this phone has.
 */
class CallsTab(main: MainActivity) : Tab(main, R.layout.calls, R.string.calls, R.drawable.ic_calls) {
    private val list: ListView = view.findViewById(R.id.list)
    private val search: EditText = view.findViewById(R.id.search)
    private val empty: TextView = view.findViewById(R.id.empty)
    private val filter: Button = view.findViewById(R.id.filter)
    private val day: Button = view.findViewById(R.id.days)
    private val fromServer = ServerList(main, main::account, "/calls", "calls", ::onPage)

    /** Calls, and before the first of each day the day. */
    private var rows: List<Any> = emptyList()
    private var calls: List<JSONObject> = emptyList()

    /** Whose calls, by id and name; `null` for everybody's. */
    private var user: Pair<String, String>? = null

    /** Of which days; `null` for all. */
    private var days: Days? = null

    /** Names of users by id, as far as calls have told. */
    private val users = sortedMapOf<String, String>()

    init {
        list.adapter = Rows()
        list.emptyView = empty
        list.setOnItemClickListener { _, _, at, _ -> (rows[at] as? JSONObject)?.let(::openCall) }
        fromServer.follow(list)
        search.onTyped(::refresh)
        filter.setOnClickListener { chooseUser() }
        day.setOnClickListener { Days.ask(main, ::show) }
        view.findViewById<Button>(R.id.retry).setOnClickListener { refresh() }
    }

    /** Of these days only, or of all. */
    fun show(days: Days?) {
        this.days = days
        refresh()
    }

    override fun refresh() {
        filter.text = user?.second ?: main.getString(R.string.everybody)
        day.text = days?.words(main) ?: main.getString(R.string.any_day)
        val (from, to) = days?.bounds() ?: (null to null)
        fromServer.ask(mapOf("q" to search.text.toString(), "user" to user?.first, "from" to from, "to" to to))
    }

    private fun onPage(page: List<JSONObject>, isFirst: Boolean, code: String?) {
        if (code != null && isFirst) return showOwn(code)
        if (code == null) view.findViewById<View>(R.id.offline).showIf(false)
        show(if (isFirst) page else calls + page)
    }

    private fun show(calls: List<JSONObject>) {
        this.calls = calls
        for (call in calls) call.text("username")?.let { users[call.getString("user")] = it }
        rows = calls.groupBy { Times.day(main, it.getString("timestamp")) }.flatMap { (day, of) -> listOf(day) + of }
        (list.adapter as Rows).notifyDataSetChanged()
        empty.setText(R.string.no_calls)
    }

    /** What the phone has, when the server has not answered. */
    private fun showOwn(code: String) {
        val words = search.text.toString().lowercase().split(' ').filter(String::isNotEmpty)
        val (user, days) = user to days
        val own = Accounts.user(main, main.account)
        main.inBackground({
            try {
                Books.of(main, main.account).askList("calls") {
                    put("limit", MOST_OWN)
                    days?.bounds()?.let { (from, to) -> put("from", from).put("to", to) }
                }
            } catch (_: CallbookException) {
                emptyList() // the overview says why
            }.filter { (user == null || it.getString("user") == user.first) && it.matches(words) }
        }) { found ->
            for (call in found) {
                val name = if (call.getBoolean("own")) own else users[call.getString("user")]
                name?.let { call.put("username", it) }
            }
            view.findViewById<TextView>(R.id.offline_text).text =
                main.getString(R.string.calls_of_phone, Words.refused(main, code))
            view.findViewById<View>(R.id.offline).showIf(true)
            show(found)
        }
    }

    private fun JSONObject.matches(words: List<String>): Boolean {
        val said = listOfNotNull(optJSONObject("contact")?.text("name"), text("phone_number"), text("key"))
        return words.all { word -> said.any { word in it.lowercase() } }
    }

    private fun chooseUser() {
        val choices = listOf(null) + users.entries.map { it.key to it.value }
        AlertDialog.Builder(main)
            .setItems(choices.map { it?.second ?: main.getString(R.string.everybody) }.toTypedArray()) { _, at ->
                user = choices[at]
                refresh()
            }.show()
    }

    private fun openCall(call: JSONObject) {
        val contact = call.optJSONObject("contact")
        val number = call.text("phone_number")
        when {
            contact != null -> main.startActivity(ContactActivity.intent(main, main.account, contact.getString("id")))
            number != null -> main.open(Intent(Intent.ACTION_DIAL, Uri.fromParts("tel", number, null)))
        }
    }

    private inner class Rows : BaseAdapter() {
        override fun getCount() = rows.size
        override fun getItem(at: Int) = rows[at]
        override fun getItemId(at: Int) = at.toLong()
        override fun getViewTypeCount() = 2
        override fun getItemViewType(at: Int) = if (rows[at] is String) 0 else 1
        override fun isEnabled(at: Int) = rows[at] !is String
        override fun areAllItemsEnabled() = false

        override fun getView(at: Int, old: View?, parent: ViewGroup): View {
            val inflater = LayoutInflater.from(main)
            val call = rows[at] as? JSONObject ?: return (old ?: inflater.inflate(R.layout.heading, parent, false))
                .also { (it as TextView).text = rows[at] as String }
            val row = old ?: inflater.inflate(R.layout.row, parent, false)
            val (icon, direction) = CallWords.direction(call.getString("direction"))
            row.findViewById<ImageView>(R.id.icon).apply {
                showIf(true)
                setImageResource(icon)
                contentDescription = main.getString(direction)
            }
            row.findViewById<TextView>(R.id.line1).text = CallWords.who(main, call)
            val by = call.text("username")?.let { main.getString(R.string.call_by, it) }
            row.findViewById<TextView>(R.id.line2).text = listOfNotNull(by, CallWords.details(main, call)).joinToString(", ")
            return row
        }
    }

    private companion object {
        /** More than that nobody reads without the network. */
        const val MOST_OWN = 2_000
    }
}
