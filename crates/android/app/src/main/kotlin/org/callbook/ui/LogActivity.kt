package org.callbook.ui

import android.accounts.Account
import android.content.ClipData
import android.content.ClipboardManager
import android.content.Context
import android.content.Intent
import android.os.Build
import android.os.Bundle
import android.view.View
import android.widget.Button
import android.widget.Switch
import android.widget.TextView
import org.callbook.account.account
import org.callbook.R
import org.callbook.account.Books
import org.callbook.engine.CallbookException
import org.callbook.sync.Log
import org.json.JSONArray
import org.json.JSONObject

/** What happened in syncing, for whoever helps. Neither the library nor the app writes a name or a number there. */
class LogActivity : Page() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        val account = intent.account(ACCOUNT) ?: return finish()
        setContentView(R.layout.log)
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        val text = findViewById<TextView>(R.id.log)
        findViewById<Button>(R.id.copy).setOnClickListener {
            getSystemService(ClipboardManager::class.java).setPrimaryClip(ClipData.newPlainText("Callbook", text.text))
            say(R.string.copied)
        }
        findViewById<Button>(R.id.share).setOnClickListener {
            val send = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text.text.toString())
            open(Intent.createChooser(send, null))
        }
        findViewById<Switch>(R.id.detailed).apply {
            isChecked = Log.isDetailed(context)
            setOnClickListener { Log.setDetailed(context, isChecked) }
        }
        inBackground({ lines(account) }) { text.text = it }
    }

    private fun lines(account: Account): String {
        val events = try {
            val book = Books.of(this, account)
            val told = book.ask("told") as JSONArray
            book.askList("log").map(::line) + List(told.length(), told::getString)
        } catch (e: CallbookException) {
            listOf("library: ${e.code}")
        }
        val phone = "${Build.MANUFACTURER} ${Build.MODEL}, Android ${Build.VERSION.RELEASE}, Callbook ${version()}"
        return (listOf(phone) + (events + Log.lines(this)).sorted().asReversed()).joinToString("\n")
    }

    private fun version(): String? = packageManager.getPackageInfo(packageName, 0).versionName

    /** `2026-11-26T09:00:00.000Z synced, sent 1, received 3` */
    private fun line(event: JSONObject): String {
        val more = event.keys().asSequence().filter { it !in setOf("at", "happened") }.map { "$it ${event.get(it)}" }
        return (sequenceOf("${event.getString("at")} ${event.getString("happened")}") + more).joinToString()
    }

    companion object {
        private const val ACCOUNT = "account"

        fun intent(context: Context, account: Account): Intent =
            Intent(context, LogActivity::class.java).putExtra(ACCOUNT, account)
    }
}
