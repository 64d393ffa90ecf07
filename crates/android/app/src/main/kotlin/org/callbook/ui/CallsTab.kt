package org.callbook.ui

import android.app.AlertDialog
import android.content.Intent
import android.net.Uri
import android.text.Editable
import android.text.TextWatcher
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.AbsListView
import android.widget.BaseAdapter
import android.widget.Button
import android.widget.EditText
import android.widget.ImageView
import android.widget.ListView
import android.widget.TextView
import org.callbook.R
import org.callbook.account.Api
import org.callbook.account.objects
import org.callbook.account.text
import org.json.JSONObject

/** The team's calls by day, as the server names them from the book: who spoke with whom. */
class CallsTab(main: MainActivity) : Tab(main, R.layout.calls, R.string.calls, R.drawable.ic_calls) {
    private val list: ListView = view.findViewById(R.id.list)
    private val search: EditText = view.findViewById(R.id.search)
    private val empty: TextView = view.findViewById(R.id.empty)
    private val filter: Button = view.findViewById(R.id.filter)

    /** Calls, and before the first of each day the day. */
    private var rows: List<Any> = emptyList()
    private var calls: List<JSONObject> = emptyList()
    private var cursor: String? = null
    private var isLoading = false
    private var asked = 0

    /** Whose calls; `null` for everybody's. */
    private var user: Pair<String, String>? = null

    /** Names of users by id, as far as calls have told. */
    private val users = sortedMapOf<String, String>()

    init {
        list.adapter = Rows()
        list.emptyView = empty
        list.setOnItemClickListener { _, _, at, _ -> (rows[at] as? JSONObject)?.let(::openCall) }
        list.setOnScrollListener(object : AbsListView.OnScrollListener {
            override fun onScrollStateChanged(view: AbsListView, state: Int) = Unit
            override fun onScroll(view: AbsListView, first: Int, visible: Int, total: Int) {
                if (total > 0 && first + visible >= total - NEAR_THE_END && cursor != null && !isLoading) load(asked)
            }
        })
        search.addTextChangedListener(object : TextWatcher {
            override fun afterTextChanged(text: Editable) = refresh()
            override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) = Unit
            override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) = Unit
        })
        filter.setOnClickListener { choose() }
    }

    override fun refresh() {
        asked++
        cursor = null
        calls = emptyList()
        filter.text = user?.second ?: main.getString(R.string.everybody)
        load(asked)
    }

    private fun load(question: Int) {
        isLoading = true
        val query = mapOf("q" to search.text.toString(), "user" to user?.first, "cursor" to cursor)
        main.inBackground({
            try {
                Api(main, main.account).get("/calls", query) to null
            } catch (e: Api.Refused) {
                null to e.code
            }
        }) { (page, code) ->
            if (question != asked) return@inBackground
            isLoading = false
            calls = calls + page?.getJSONArray("calls")?.objects().orEmpty()
            cursor = page?.text("cursor")
            for (call in calls) call.text("username")?.let { users[call.getString("user")] = it }
            rows = calls.groupBy { Times.day(main, it.getString("timestamp")) }.flatMap { (day, of) -> listOf(day) + of }
            (list.adapter as Rows).notifyDataSetChanged()
            empty.text = code?.let { Words.refused(main, it) } ?: main.getString(R.string.no_calls)
        }
    }

    private fun choose() {
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
        const val NEAR_THE_END = 20
    }
}
