package org.callbook.ui

import android.accounts.Account
import android.app.AlertDialog
import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.EditText
import android.widget.ListView
import android.widget.TextView
import org.callbook.R
import org.callbook.account.account
import org.json.JSONObject

/** Contacts that were deleted, the latest first, each to be brought back with all it said. The server alone has them. */
class DeletedActivity : Page() {
    private lateinit var account: Account
    private lateinit var list: ListView
    private lateinit var search: EditText
    private var shown: List<JSONObject> = emptyList()
    private val deleted = ServerList(this, { account }, "/contacts", "contacts", ::onPage)

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        account = intent.account(ACCOUNT) ?: return finish()
        setContentView(R.layout.deleted)
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        list = findViewById(R.id.list)
        list.adapter = Rows()
        list.emptyView = findViewById(R.id.empty)
        list.setOnItemClickListener { _, _, at, _ -> askRestore(shown[at]) }
        deleted.follow(list)
        search = findViewById(R.id.search)
        search.onTyped(::load)
        load()
    }

    private fun load() = deleted.ask(mapOf("state" to "deleted", "q" to search.text.toString()))

    private fun onPage(page: List<JSONObject>, isFirst: Boolean, code: String?) {
        shown = if (isFirst) page else shown + page
        (list.adapter as Rows).notifyDataSetChanged()
        findViewById<TextView>(R.id.empty).text =
            code?.let { Words.refused(this, it) }
                ?: getString(if (search.text.isEmpty()) R.string.nothing_deleted else R.string.nobody_deleted)
    }

    private fun askRestore(contact: JSONObject) {
        val said = listOfNotNull(ContactWords.numbers(contact).joinToString("\n") { it.ltr() }.ifEmpty { null }, words(contact))
        AlertDialog.Builder(this).setTitle(ContactWords.title(this, contact)).setMessage(said.joinToString("\n\n"))
            .setPositiveButton(R.string.restore) { _, _ -> restore(contact) }
            .setNegativeButton(android.R.string.cancel, null).show()
    }

    private fun restore(contact: JSONObject) {
        val revision = JSONObject().put("rev", contact.getLong("edit_rev"))
        changeContact(account, contact.getString("id"), "restore", revision, ::load)
    }

    private fun words(contact: JSONObject): String =
        getString(R.string.deleted_on, Times.day(this, contact.getString("deleted_at")))

    private inner class Rows : BaseAdapter() {
        override fun getCount() = shown.size
        override fun getItem(at: Int) = shown[at]
        override fun getItemId(at: Int) = at.toLong()

        override fun getView(at: Int, old: View?, parent: ViewGroup): View {
            val row = old ?: LayoutInflater.from(parent.context).inflate(R.layout.row, parent, false)
            row.findViewById<TextView>(R.id.line1).text = ContactWords.title(this@DeletedActivity, shown[at])
            row.findViewById<TextView>(R.id.line2).text = words(shown[at])
            return row
        }
    }

    companion object {
        private const val ACCOUNT = "account"

        fun intent(context: Context, account: Account): Intent =
            Intent(context, DeletedActivity::class.java).putExtra(ACCOUNT, account)
    }
}
