package org.callbook.account

import android.accounts.Account
import android.content.Context
import java.io.IOException
import org.callbook.Work
import org.callbook.engine.CallbookException

/**
 * Signing out. The server is told when it can be reached, and everything of the account is taken off the phone; its
 * contacts Android takes itself, when the account is gone.
 */
object Leaving {
    /** An account that Android is about to remove. */
    fun begin(context: Context, account: Account) {
        val key = Accounts.key(context, account) ?: return
        val book = try {
            Books.of(context, account)
        } catch (_: CallbookException) {
            return // [sweep] takes what cannot be opened
        }
        leaving += key
        Books.take(key)
        Work.run {
            try {
                book.cancel()
                book.syncing.lock()
                tellServer(book)
            } finally {
                book.erase()
                Notes.erase(context, key)
                leaving -= key
                if (book.syncing.isHeldByCurrentThread) book.syncing.unlock()
            }
        }
    }

    /** Signs out, and removes the account. */
    fun leave(context: Context, account: Account) {
        begin(context, account)
        Accounts.remove(context, account)
    }

    /** Takes away what accounts have left that were removed while the app did not run. */
    fun sweep(context: Context) {
        for (key in Accounts.orphans(context).filter { it !in leaving && !Books.isStarting(it) }) {
            Books.take(key)?.close()
            Vault(Accounts.folder(context, key).resolve("tokens"), key).erase()
            Accounts.folder(context, key).deleteRecursively()
            Notes.erase(context, key)
        }
    }

    /** Whether an account is on its way out: its book is opened no more. */
    fun isLeaving(key: String): Boolean = key in leaving

    private val leaving: MutableSet<String> = java.util.Collections.synchronizedSet(HashSet())

    private fun tellServer(book: Book) {
        try {
            book.ask("sign_out")
            var next = book.askObject("begin")
            while (next.getString("next") != "done") {
                next = when (next.getString("next")) {
                    "phone" -> book.askObject("step") { put("phone", Given.refused()) }
                    "calls" -> book.askObject("step") { put("calls", org.json.JSONArray()) }
                    else -> book.askObject("step")
                }
            }
        } catch (e: Exception) {
            if (e !is CallbookException && e !is IOException) throw e
            // The device stays in the team's list until it runs out, or an admin ends it.
        }
    }
}
