package org.callbook.ui

import android.content.Intent
import android.provider.ContactsContract
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.EditText
import android.widget.ListView
import android.widget.TextView
import java.text.Collator
import org.callbook.R
import org.callbook.account.Books
import org.callbook.account.objects
import org.callbook.engine.CallbookException
import org.json.JSONObject

/** The book as this phone has it: by name, and looked for by name and number. It needs no network. */
class BookTab(main: MainActivity) : Tab(main, R.layout.book, R.string.book, R.drawable.ic_book) {
    private val list: ListView = view.findViewById(R.id.list)
    private val search: EditText = view.findViewById(R.id.search)
    private val empty: TextView = view.findViewById(R.id.empty)
    private var shown: List<JSONObject> = emptyList()

    /** Counts what was asked for: the answer to an older question is dropped. */
    private var asked = 0

    init {
        list.adapter = Rows()
        list.emptyView = empty
        list.setOnItemClickListener { _, _, at, _ ->
            main.startActivity(ContactActivity.intent(main, main.account, shown[at].getString("id")))
        }
        search.onTyped(::refresh)
        view.findViewById<View>(R.id.add).setOnClickListener { add() }
        view.findViewById<View>(R.id.deleted).setOnClickListener {
            main.startActivity(DeletedActivity.intent(main, main.account))
        }
    }

    override fun refresh() {
        asked++
        page(asked, search.text.toString(), null, emptyList())
    }

    /** The first page is shown as soon as it is there, and the list again with each that follows. */
    private fun page(question: Int, query: String, after: String?, before: List<JSONObject>): Unit = main.inBackground({
        try {
            Books.of(main, main.account).askObject("contacts") {
                put("query", query).put("after", after).put("limit", if (after == null) FIRST_PAGE else PAGE)
            }
        } catch (_: CallbookException) {
            null // the overview says why
        }?.let { page -> sorted(before + page.getJSONArray("contacts").objects()) to page.optString("after") }
    }) { found ->
        if (question != asked || found == null) return@inBackground
        val (contacts, next) = found
        shown = contacts
        (list.adapter as Rows).notifyDataSetChanged()
        empty.setText(if (query.isEmpty()) R.string.book_empty else R.string.nothing_found)
        if (next.isNotEmpty()) page(question, query, next, contacts)
    }

    private fun sorted(contacts: List<JSONObject>): List<JSONObject> {
        val order = Collator.getInstance()
        return contacts.map { it to order.getCollationKey(ContactWords.title(main, it)) }
            .sortedBy { it.second }.map { it.first }
    }

    /** In the phone's own editor, into Callbook's account. */
    private fun add() = main.open(
        Intent(Intent.ACTION_INSERT, ContactsContract.Contacts.CONTENT_URI)
            .putExtra(ContactsContract.Intents.Insert.NAME, search.text.toString().takeIf { it.any(Char::isLetter) })
            .putExtra("android.provider.extra.ACCOUNT", main.account)
            .putExtra("finishActivityOnSaveCompleted", true),
    )

    private inner class Rows : BaseAdapter() {
        override fun getCount() = shown.size
        override fun getItem(at: Int) = shown[at]
        override fun getItemId(at: Int) = at.toLong()

        override fun getView(at: Int, old: View?, parent: ViewGroup): View {
            val row = old ?: LayoutInflater.from(main).inflate(R.layout.row, parent, false)
            val contact = shown[at]
            row.findViewById<TextView>(R.id.line1).text = ContactWords.title(main, contact)
            row.findViewById<TextView>(R.id.line2).text = ContactWords.numbers(contact).joinToString(" · ") { it.ltr() }
            return row
        }
    }

    private companion object {
        const val FIRST_PAGE = 100
        const val PAGE = 1_000
    }
}
