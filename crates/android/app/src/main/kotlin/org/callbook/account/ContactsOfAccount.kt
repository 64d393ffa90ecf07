package org.callbook.account

import android.accounts.Account
import android.content.ContentValues
import android.content.Context
import android.provider.ContactsContract.CALLER_IS_SYNCADAPTER
import android.provider.ContactsContract.Settings

/** How the phone's contacts app treats an account. */
object ContactsOfAccount {
    /**
     * Contacts without a label are shown too: most of a book has none. Said once; whoever changes it afterwards in the
     * phone's contacts app means it.
     */
    fun show(context: Context, account: Account) {
        val of = arrayOf(account.name, account.type)
        val where = "${Settings.ACCOUNT_NAME} = ? AND ${Settings.ACCOUNT_TYPE} = ?"
        val resolver = context.contentResolver
        try {
            val isSaid = resolver.query(Settings.CONTENT_URI, arrayOf(Settings.UNGROUPED_VISIBLE), where, of, null)
                ?.use { it.count > 0 } ?: return
            if (isSaid) return
            val uri = Settings.CONTENT_URI.buildUpon().appendQueryParameter(CALLER_IS_SYNCADAPTER, "true").build()
            resolver.insert(uri, ContentValues().apply {
                put(Settings.ACCOUNT_NAME, account.name)
                put(Settings.ACCOUNT_TYPE, account.type)
                put(Settings.UNGROUPED_VISIBLE, 1)
                put(Settings.SHOULD_SYNC, 1)
            })
        } catch (_: RuntimeException) {
            // A phone that has no such settings shows them all anyway; each sync tries again.
        }
    }
}
