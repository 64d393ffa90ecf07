package org.callbook.ui

import android.accounts.Account
import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.widget.Button
import android.widget.TextView
import org.callbook.account.account
import org.callbook.R
import org.callbook.account.Notes
import org.callbook.sync.Permissions
import org.callbook.sync.Schedule

/** After signing in: what of this phone the book gets. Nothing is read before. */
class ChoicesActivity : Page() {
    private lateinit var account: Account
    private lateinit var choices: Choices

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        account = intent.account(ACCOUNT) ?: return finish()
        setContentView(R.layout.choices)
        findViewById<TextView>(R.id.account).text = account.name
        choices = Choices(this, findViewById(android.R.id.content), account)
        val mayTell = Permissions.hasAll(this, Permissions.notifications)
        findViewById<TextView>(R.id.notifications_why).showIf(!mayTell)
        choices.load()
        findViewById<Button>(R.id.start).setOnClickListener { start() }
    }

    private fun start() {
        val asked = choices.missing() + Permissions.notifications.filterNot { Permissions.has(this, it) }
        // What is refused is left out: the dashboard says so, and asks again.
        if (asked.isEmpty()) save() else requestPermissions(asked.toTypedArray(), START)
    }

    override fun onRequestPermissionsResult(code: Int, names: Array<out String>, results: IntArray) {
        if (code == START) save()
    }

    private fun save() = choices.save {
        Notes.of(this, account).hasChosen = true
        Schedule.first(this, account)
        inBackground({ Schedule.all(this) }) {
            startActivity(MainActivity.intent(this))
            finish()
        }
    }

    companion object {
        private const val ACCOUNT = "account"
        private const val START = 1

        fun intent(context: Context, account: Account): Intent =
            Intent(context, ChoicesActivity::class.java).putExtra(ACCOUNT, account)
    }
}
