package org.callbook.account

import android.accounts.Account
import android.accounts.AccountManager
import android.content.ContentResolver
import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.provider.ContactsContract
import java.io.File
import java.util.UUID
import org.callbook.sync.CALLS_AUTHORITY

/**
 * Callbook's accounts on this phone. Each has a key of its own under which its files lie, so that an account may be
 * renamed. Android keeps who is signed in; what was synced is the library's.
 */
object Accounts {
    const val TYPE = "org.callbook"

    private const val KEY = "key"
    private const val SERVER = "server"
    private const val USER = "user"

    fun all(context: Context): List<Account> = AccountManager.get(context).getAccountsByType(TYPE).toList()

    fun key(context: Context, account: Account): String? = get(context, account, KEY)

    /** The address of its server, as it was typed. */
    fun server(context: Context, account: Account): String? = get(context, account, SERVER)

    /** Who signs in, as typed. */
    fun user(context: Context, account: Account): String? = get(context, account, USER)

    private fun get(context: Context, account: Account, name: String): String? =
        AccountManager.get(context).getUserData(account, name)

    fun newKey(): String = UUID.randomUUID().toString()

    /** How an account is called: two teams may each have an Ann. */
    fun name(user: String, server: String): String = "$user@${server.substringAfter("://").trimEnd('/')}"

    /** Where the files of an account lie: in no backup, since another phone must not use this one's session. */
    fun folder(context: Context, key: String): File = File(books(context), key)

    private fun books(context: Context): File = File(context.noBackupFilesDir, "books")

    /** Folders whose account is gone. */
    fun orphans(context: Context): List<String> {
        val known = all(context).mapNotNull { key(context, it) }.toSet()
        return books(context).list().orEmpty().filter { it !in known }
    }

    /** Adds an account that syncs contacts and calls by itself. `false` when Android has one of this name. */
    fun add(context: Context, account: Account, key: String, server: String, user: String): Boolean {
        val manager = AccountManager.get(context)
        val data = Bundle().apply {
            putString(KEY, key)
            putString(SERVER, server)
            putString(USER, user)
        }
        if (!manager.addAccountExplicitly(account, null, data)) return false
        for (authority in listOf(ContactsContract.AUTHORITY, CALLS_AUTHORITY)) {
            ContentResolver.setIsSyncable(account, authority, 1)
            ContentResolver.setSyncAutomatically(account, authority, true)
        }
        return true
    }

    fun remove(context: Context, account: Account) {
        AccountManager.get(context).removeAccountExplicitly(account)
    }
}

/** The account that an intent carries. */
@Suppress("DEPRECATION") // the other is of Android 13
fun Intent.account(extra: String): Account? = getParcelableExtra(extra)
