package org.callbook.account

import android.accounts.AbstractAccountAuthenticator
import android.accounts.Account
import android.accounts.AccountAuthenticatorResponse
import android.accounts.AccountManager
import android.app.Service
import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.os.IBinder
import org.callbook.ui.SignInActivity

/** What Android's settings, and contacts apps, need to list Callbook among the accounts. */
class Authenticator(private val context: Context) : AbstractAccountAuthenticator(context) {
    override fun addAccount(
        response: AccountAuthenticatorResponse?,
        accountType: String?,
        authTokenType: String?,
        requiredFeatures: Array<String>?,
        options: Bundle?,
    ): Bundle = screen(response, null)

    /** The session has ended, and Android asks for the password. */
    override fun updateCredentials(
        response: AccountAuthenticatorResponse?,
        account: Account,
        authTokenType: String?,
        options: Bundle?,
    ): Bundle = screen(response, account)

    override fun confirmCredentials(
        response: AccountAuthenticatorResponse?,
        account: Account,
        options: Bundle?,
    ): Bundle = screen(response, account)

    private fun screen(response: AccountAuthenticatorResponse?, account: Account?): Bundle {
        val intent = SignInActivity.intent(context, account)
            .putExtra(AccountManager.KEY_ACCOUNT_AUTHENTICATOR_RESPONSE, response)
        return Bundle().apply { putParcelable(AccountManager.KEY_INTENT, intent) }
    }

    /** The account goes; the server is told when it can be reached. */
    override fun getAccountRemovalAllowed(response: AccountAuthenticatorResponse?, account: Account): Bundle {
        Leaving.begin(context, account)
        return Bundle().apply { putBoolean(AccountManager.KEY_BOOLEAN_RESULT, true) }
    }

    /** Tokens are for the library alone. */
    override fun getAuthToken(
        response: AccountAuthenticatorResponse?,
        account: Account,
        authTokenType: String?,
        options: Bundle?,
    ): Bundle = Bundle().apply {
        putInt(AccountManager.KEY_ERROR_CODE, AccountManager.ERROR_CODE_UNSUPPORTED_OPERATION)
        putString(AccountManager.KEY_ERROR_MESSAGE, "Callbook gives no tokens away")
    }

    override fun getAuthTokenLabel(authTokenType: String?): String? = null

    override fun editProperties(response: AccountAuthenticatorResponse?, accountType: String?): Bundle? = null

    override fun hasFeatures(
        response: AccountAuthenticatorResponse?,
        account: Account,
        features: Array<String>,
    ): Bundle = Bundle().apply { putBoolean(AccountManager.KEY_BOOLEAN_RESULT, features.isEmpty()) }
}

class AuthenticatorService : Service() {
    private val authenticator by lazy { Authenticator(this) }

    override fun onBind(intent: Intent): IBinder = authenticator.iBinder
}
