package org.callbook.account

import android.accounts.Account
import android.content.ContentValues
import android.content.Context
import android.provider.ContactsContract.CALLER_IS_SYNCADAPTER
import android.provider.ContactsContract.Settings

/** How the phone's contacts app treats an account. */
object ContactsOfAccount {
    /** Contacts without a label are shown too: most of a book has none. */
    fun show(context: Context, account: Account) {
        val uri = Settings.CONTENT_URI.buildUpon().appendQueryParameter(CALLER_IS_SYNCADAPTER, "true").build()
        val values = ContentValues().apply {
            put(Settings.ACCOUNT_NAME, account.name)
            put(Settings.ACCOUNT_TYPE, account.type)
            put(Settings.UNGROUPED_VISIBLE, 1)
            put(Settings.SHOULD_SYNC, 1)
        }
        try {
            context.contentResolver.insert(uri, values)
        } catch (_: RuntimeException) {
            // Without the permission, or on a phone that has no such settings: each sync tries again.
        }
    }
}
