package org.callbook.sync

import android.accounts.Account
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.net.Uri
import org.callbook.Work
import org.callbook.account.Accounts
import org.callbook.account.Books
import org.callbook.engine.CallbookException

/** What the user has answered to a notification. */
class Answers : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        val command = intent.action.takeIf { it in COMMANDS } ?: return
        val key = intent.data?.schemeSpecificPart
        val account = Accounts.all(context).firstOrNull { Accounts.key(context, it) == key } ?: return
        val pending: PendingResult? = goAsync()
        Work.run {
            if (command == CANCEL) Syncing.cancel(account) else answer(context, account, command)
            pending?.finish()
        }
    }

    companion object {
        /** The first sync, of which a notification shows how far it is, is to stop. */
        const val CANCEL = "cancel_sync"

        private val COMMANDS = setOf("confirm_deletes", "drop_deletes", CANCEL)

        /** The intent of one account's answer: its data makes it another than that of the next account. */
        fun intent(context: Context, account: Account, command: String): Intent =
            Intent(context, Answers::class.java).setAction(command)
                .setData(Uri.fromParts("account", Accounts.key(context, account), null))

        /** In the background. */
        fun answer(context: Context, account: Account, command: String) {
            try {
                Books.of(context, account).ask(command)
                Notifications.manyDeletes(context, account, 0)
                Schedule.now(context, account)
            } catch (e: CallbookException) {
                Log.write(context, "$command failed: ${e.code}")
            }
        }
    }
}
