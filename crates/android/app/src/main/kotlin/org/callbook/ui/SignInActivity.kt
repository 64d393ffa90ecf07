package org.callbook.ui

import android.accounts.Account
import android.accounts.AccountAuthenticatorResponse
import android.accounts.AccountManager
import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.inputmethod.EditorInfo
import android.widget.Button
import android.widget.EditText
import android.widget.ProgressBar
import android.widget.TextView
import org.callbook.account.account
import org.callbook.R
import org.callbook.account.Accounts
import org.callbook.account.Notes
import org.callbook.account.SignIn
import org.callbook.sync.Notifications
import org.callbook.sync.Schedule

/**
 * Signing in: a new account, or one whose session has ended. A link `callbook://sign-in?server=…&user=…&password=…`,
 * which an admin shows as a QR code, fills it in; its user still says yes.
 */
class SignInActivity : Page() {
    private lateinit var server: EditText
    private lateinit var user: EditText
    private lateinit var password: EditText
    private lateinit var error: TextView
    private lateinit var button: Button
    private var account: Account? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.sign_in)
        server = findViewById(R.id.server)
        user = findViewById(R.id.user)
        password = findViewById(R.id.password)
        error = findViewById(R.id.error)
        button = findViewById(R.id.sign_in)
        button.setOnClickListener { signIn() }
        password.setOnEditorActionListener { _, action, _ ->
            (action == EditorInfo.IME_ACTION_DONE).also { if (it) signIn() }
        }
        fill(state == null)
    }

    private fun fill(isNew: Boolean) {
        account = intent.account(ACCOUNT)?.takeIf { it in Accounts.all(this) }
        account?.let {
            findViewById<TextView>(R.id.title).setText(R.string.sign_in_again)
            server.setText(Accounts.server(this, it))
            user.setText(Accounts.user(this, it))
            server.isEnabled = false
            user.isEnabled = false
            Notes.of(this, it).signIn?.let { reason -> show(Words.signIn(this, reason)) }
        }
        val link = intent.data?.takeIf { it.scheme == "callbook" && it.isHierarchical } ?: return
        if (!isNew || account != null) return
        server.setText(link.getQueryParameter("server"))
        user.setText(link.getQueryParameter("user"))
        password.setText(link.getQueryParameter("password"))
    }

    private fun signIn() {
        val (server, user) = listOf(server, user).map { it.text.toString().trim() }
        val password = password.text.toString()
        when {
            server.isEmpty() -> return ask(this.server, R.string.server_missing)
            user.isEmpty() -> return ask(this.user, R.string.user_missing)
            password.isEmpty() -> return ask(this.password, R.string.password_missing)
        }
        working(true)
        val account = account
        inBackground({
            if (account == null) SignIn.add(this, server, user, password) else SignIn.again(this, account, password)
        }) { outcome ->
            working(false)
            val code = outcome.code
            if (code == null) signedIn(outcome.account!!) else show(Words.signInFailure(this, code))
        }
    }

    private fun signedIn(account: Account) {
        password.text.clear()
        Notes.of(this, account).signIn = null
        Notifications.signIn(this, account, null)
        @Suppress("DEPRECATION") // the other is of Android 13
        intent.getParcelableExtra<AccountAuthenticatorResponse>(AccountManager.KEY_ACCOUNT_AUTHENTICATOR_RESPONSE)
            ?.onResult(Bundle().apply {
                putString(AccountManager.KEY_ACCOUNT_NAME, account.name)
                putString(AccountManager.KEY_ACCOUNT_TYPE, account.type)
            })
        setResult(RESULT_OK)
        if (Notes.of(this, account).hasChosen) Schedule.now(this, account)
        else startActivity(ChoicesActivity.intent(this, account))
        finish()
    }

    private fun ask(field: EditText, what: Int) {
        show(getString(what))
        field.requestFocus()
    }

    private fun show(text: String) {
        error.text = text
        error.showIf(true)
    }

    private fun working(isWorking: Boolean) {
        if (isWorking) error.showIf(false)
        button.isEnabled = !isWorking
        findViewById<ProgressBar>(R.id.progress).showIf(isWorking)
    }

    companion object {
        private const val ACCOUNT = "account"

        /** Of an account that is there, or of a new one. */
        fun intent(context: Context, account: Account?): Intent =
            Intent(context, SignInActivity::class.java).putExtra(ACCOUNT, account)
    }
}
