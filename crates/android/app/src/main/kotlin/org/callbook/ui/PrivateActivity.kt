package org.callbook.ui

import android.accounts.Account
import android.app.AlertDialog
import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.LayoutInflater
import android.view.View
import android.widget.Button
import android.widget.CheckBox
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.TextView
import android.widget.TimePicker
import java.time.DayOfWeek
import java.time.format.TextStyle
import java.util.Locale
import org.callbook.account.account
import org.callbook.R
import org.callbook.account.Books
import org.json.JSONArray
import org.json.JSONObject

/** Contacts and hours that never leave this phone. */
class PrivateActivity : Page() {
    private lateinit var account: Account
    private var private = JSONObject()

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        account = intent.account(ACCOUNT) ?: return finish()
        setContentView(R.layout.private_things)
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        findViewById<Button>(R.id.add_entry).setOnClickListener { addEntry() }
        findViewById<Button>(R.id.add_hours).setOnClickListener { addHours() }
        inBackground({ Books.of(this, account).askObject("settings").getJSONObject("private") }) {
            private = it
            show()
        }
    }

    private val entries get() = private.getJSONArray("entries")
    private val hours get() = private.getJSONArray("hours")

    private fun show() {
        fill(R.id.entries, List(entries.length()) { entries.getString(it) to { remove(entries, it) } })
        fill(R.id.hours, List(hours.length()) { words(hours.getJSONObject(it)) to { remove(hours, it) } })
    }

    private fun words(hours: JSONObject): String {
        val days = DayOfWeek.values().filter { hours.getJSONArray("days").getBoolean(it.ordinal) }
        val names = days.joinToString { it.getDisplayName(TextStyle.SHORT, Locale.getDefault()) }
        val (from, to) = listOf("from", "to").map { Times.ofDay(this, hours.getInt(it)).isolated() }
        return getString(R.string.hours_of_days, names.isolated(), from, to)
    }

    private fun fill(id: Int, rows: List<Pair<String, () -> Unit>>) = findViewById<LinearLayout>(id).run {
        removeAllViews()
        for ((words, remove) in rows) {
            val row = LayoutInflater.from(context).inflate(R.layout.row, this, false)
            row.findViewById<TextView>(R.id.line1).text = words
            row.findViewById<View>(R.id.line2).showIf(false)
            row.findViewById<android.widget.ImageButton>(R.id.more).apply {
                showIf(true)
                setImageResource(R.drawable.ic_close)
                contentDescription = getString(R.string.remove_this, words)
                setOnClickListener { remove() }
            }
            addView(row)
        }
    }

    private fun remove(list: JSONArray, at: Int) {
        list.remove(at)
        save()
    }

    private fun addEntry() {
        val field = EditText(this).apply { setHint(R.string.private_entry_hint) }
        AlertDialog.Builder(this).setTitle(R.string.add_private_entry).setView(field)
            .setPositiveButton(R.string.add) { _, _ ->
                val text = field.text.toString().trim()
                if (text.isNotEmpty()) add(text)
            }
            .setNegativeButton(android.R.string.cancel, null).show()
    }

    /** A number in any spelling, an address of mail, or a name. */
    fun add(entry: String) {
        entries.put(entry)
        save()
    }

    private fun addHours() {
        val view = LayoutInflater.from(this).inflate(R.layout.hours, null)
        val days = view.findViewById<LinearLayout>(R.id.days)
        for (day in DayOfWeek.values()) days.addView(CheckBox(this).apply {
            text = day.getDisplayName(TextStyle.FULL, Locale.getDefault())
            minHeight = (48 * resources.displayMetrics.density).toInt()
        })
        val (from, to) = listOf(R.id.from, R.id.to).map { view.findViewById<TimePicker>(it) }
        listOf(from, to).forEach { it.setIs24HourView(android.text.format.DateFormat.is24HourFormat(this)) }
        AlertDialog.Builder(this).setTitle(R.string.add_private_hours).setView(view)
            .setPositiveButton(R.string.add) { _, _ ->
                val chosen = List(days.childCount) { (days.getChildAt(it) as CheckBox).isChecked }
                if (chosen.any { it }) add(chosen, from.hour * 60 + from.minute, to.hour * 60 + to.minute)
            }
            .setNegativeButton(android.R.string.cancel, null).show()
    }

    /** From and to are minutes of the day; to may be of the next. */
    fun add(days: List<Boolean>, from: Int, to: Int) {
        hours.put(JSONObject().put("days", JSONArray(days)).put("from", from).put("to", to))
        save()
    }

    private fun save() = inBackground({
        val book = Books.of(this, account)
        book.ask("set_settings") { put("settings", book.askObject("settings").put("private", private)) }
    }) { show() }

    companion object {
        private const val ACCOUNT = "account"

        fun intent(context: Context, account: Account): Intent =
            Intent(context, PrivateActivity::class.java).putExtra(ACCOUNT, account)
    }
}
