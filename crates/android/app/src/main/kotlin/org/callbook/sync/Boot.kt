package org.callbook.sync

import android.accounts.AccountManager
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import org.callbook.Work
import org.callbook.account.Leaving

/** The phone has started, the app was updated, or an account came or went: jobs are as they should be again. */
class Boot : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        if (intent.action !in ACTIONS) return
        val pending: PendingResult? = goAsync()
        Work.run {
            Leaving.sweep(context)
            Schedule.all(context)
            pending?.finish()
        }
    }

    private companion object {
        val ACTIONS = setOf(
            Intent.ACTION_BOOT_COMPLETED,
            Intent.ACTION_MY_PACKAGE_REPLACED,
            AccountManager.ACTION_ACCOUNT_REMOVED,
            AccountManager.LOGIN_ACCOUNTS_CHANGED_ACTION,
        )
    }
}
