package org.callbook.sync

import android.Manifest.permission
import android.accounts.Account
import android.content.ContentResolver
import android.content.Context
import android.content.pm.PackageManager.PERMISSION_GRANTED
import android.os.Build
import android.provider.ContactsContract

/** Which permissions are needed for what; the app stays of use without each. */
object Permissions {
    val CONTACTS = listOf(permission.READ_CONTACTS, permission.WRITE_CONTACTS)
    val CALLS = listOf(permission.READ_CALL_LOG)

    /** Without it calls do not say which of two SIMs they were of. */
    const val LINES = permission.READ_PHONE_STATE

    val notifications: List<String>
        get() = if (Build.VERSION.SDK_INT >= 33) listOf("android.permission.POST_NOTIFICATIONS") else emptyList()

    fun has(context: Context, name: String): Boolean = context.checkSelfPermission(name) == PERMISSION_GRANTED

    fun hasAll(context: Context, names: List<String>): Boolean = names.all { has(context, it) }

    /** Those of what this account syncs. */
    fun wanted(context: Context, account: Account): List<String> {
        fun ifOn(authority: String, names: List<String>) =
            if (ContentResolver.getSyncAutomatically(account, authority)) names else emptyList()
        return ifOn(ContactsContract.AUTHORITY, CONTACTS) + ifOn(CALLS_AUTHORITY, CALLS)
    }

    fun missing(context: Context, account: Account): List<String> =
        wanted(context, account).filterNot { has(context, it) }
}
