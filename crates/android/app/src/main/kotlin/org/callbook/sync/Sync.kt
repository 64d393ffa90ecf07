package org.callbook.sync

import android.Manifest.permission
import android.accounts.Account
import android.content.ContentResolver
import android.content.Context
import android.content.pm.PackageManager.PERMISSION_GRANTED
import android.provider.ContactsContract
import java.io.IOException
import java.time.Instant
import java.util.concurrent.TimeUnit
import org.callbook.account.Book
import org.callbook.account.Books
import org.callbook.account.ContactsOfAccount
import org.callbook.account.Given
import org.callbook.account.Notes
import org.callbook.account.SignIn
import org.callbook.account.text
import org.callbook.engine.CallbookException
import org.json.JSONArray
import org.json.JSONObject

/** How a sync ended, and what it wrote into the phone's contacts. Codes are the library's. */
data class Outcome(
    /** Why somebody must sign in; `made_anew` is the app's own. */
    val signIn: String? = null,
    /** Why the server was not reached, or why the account's file cannot be used. */
    val failure: String? = null,
    /** When to sync again, if the library says so. */
    val wakeAt: Instant? = null,
    val cancelled: Boolean = false,
    /** The phone's contacts or its log of calls could not be read or written. */
    val phoneTrouble: Boolean = false,
    val inserted: Long = 0,
    val updated: Long = 0,
    val deleted: Long = 0,
    val unconfirmedDeletes: Int = 0,
    /** Changes and calls that the server has not been sent yet. */
    val waiting: Int = 0,
    /** Contacts of the phone that Android could not hand over. */
    val unreadable: Int = 0,
) {
    val wentWell: Boolean get() = signIn == null && failure == null && !cancelled && !phoneTrouble
}

/**
 * One sync of one account, in the library's steps: whatever a step asks of the phone is done here. Between two steps
 * it may be stopped, or the app killed; the next goes on from what was done.
 */
class Sync(private val context: Context, private val account: Account) {
    @Volatile
    internal var stopped = false
        private set

    /** Whether it has come to its end, whatever that was. */
    @Volatile
    var ended = false
        private set

    /** While it is this sync that uses it. */
    @Volatile
    private var book: Book? = null

    /**
     * From any thread: the sync ends within the step that it is in, and a request under way is given up. One that waits
     * for another ends alone.
     */
    fun cancel() {
        stopped = true
        book?.cancel()
    }

    /**
     * @param toServer whether the server is asked, or only what the phone has changed is written down.
     * @param onStep told how many contacts have been written so far.
     */
    fun run(toServer: Boolean = true, onStep: (Long) -> Unit = {}): Outcome = try {
        val book = Books.of(context, account)
        var outcome: Outcome? = null
        while (outcome == null && !stopped) {
            if (book.syncing.tryLock(WAIT_MILLIS, TimeUnit.MILLISECONDS)) outcome = holding(book) { run(book, toServer, onStep) }
        }
        outcome ?: Outcome(cancelled = true)
    } catch (e: CallbookException) {
        if (e.code == "cancelled") Outcome(cancelled = true) else Outcome(failure = e.code)
    } catch (_: IOException) {
        Outcome(failure = "storage_full")
    } finally {
        ended = true
    }

    private fun holding(book: Book, work: () -> Outcome): Outcome = try {
        this.book = book
        if (stopped) Outcome(cancelled = true) else work()
    } finally {
        this.book = null
        book.syncing.unlock()
    }

    private fun run(book: Book, toServer: Boolean, onStep: (Long) -> Unit): Outcome {
        val parts = parts(context, account)
        prepare(book, parts)
        val provider = context.contentResolver.takeIf { parts.contacts }
            ?.acquireUnstableContentProviderClient(ContactsContract.AUTHORITY)
        try {
            val contacts = provider?.let { PhoneContacts(it) { stopped } }
            val calls = PhoneCalls(context.contentResolver).takeIf { parts.calls }
            val ended = try {
                steps(book, contacts, calls, toServer, onStep)
            } catch (e: CallbookException) {
                putOff(e) ?: throw e
            }
            val status = book.askObject("status")
            return Outcome(
                signIn = ended?.text("sign_in")?.let(::why),
                failure = ended?.text("failure"),
                wakeAt = ended?.text("wake_at")?.let(Instant::parse),
                cancelled = ended == null && stopped,
                phoneTrouble = contacts?.trouble == true || calls?.trouble == true || parts.contacts && contacts == null,
                inserted = contacts?.inserted ?: 0,
                updated = contacts?.updated ?: 0,
                deleted = contacts?.deleted ?: 0,
                unreadable = contacts?.unreadable?.size ?: 0,
                unconfirmedDeletes = status.getInt("unconfirmed_deletes"),
                waiting = status.getInt("unpushed") + status.getInt("unpushed_calls"),
            )
        } finally {
            provider?.close()
        }
    }

    /** To the server a file that was made anew is a copy of another phone's; its user knows better. */
    private fun why(signIn: String): String =
        if (signIn == "copied" && Notes.of(context, account).isMadeAnew) "made_anew" else signIn

    /** What the library must know of the phone before it begins. */
    private fun prepare(book: Book, parts: Parts) {
        book.ask("set_region") { put("region", SignIn.region(context)) }
        val settings = book.askObject("settings")
        // Without an account of its own the library leaves the phone's contacts alone.
        val own = JSONObject().put("name", account.name).put("type", account.type).takeIf { parts.contacts }
        settings.put("account", own ?: JSONObject.NULL)
        if (parts.contacts) ContactsOfAccount.show(context, account)
        if (parts.calls && Permissions.has(context, Permissions.LINES)) {
            PhoneCalls.lines(context)?.let { settings.put("lines", it) }
        }
        book.ask("set_settings") { put("settings", settings) }
    }

    /** How a sync ended whose server asks to wait. */
    private fun putOff(e: CallbookException): JSONObject? = e.retryAfter?.let {
        JSONObject().put("failure", e.code).put("wake_at", Instant.now().plusSeconds(it).toString())
    }

    /** How it ended; `null` when it was stopped, or was not to ask the server. */
    private fun steps(
        book: Book,
        contacts: PhoneContacts?,
        calls: PhoneCalls?,
        toServer: Boolean,
        onStep: (Long) -> Unit,
    ): JSONObject? {
        var next = book.askObject("begin")
        while (!stopped) {
            next = when (next.getString("next")) {
                "phone" -> {
                    val given = contacts?.answer(next) ?: Given.refused()
                    book.askObject("step") { put("phone", given) }
                }
                "calls" -> {
                    val rows = calls?.answer(next) ?: JSONArray()
                    book.askObject("step") { put("calls", rows) }
                }
                "step" -> if (toServer) book.askObject("step") else return null
                else -> return next
            }
            onStep(contacts?.inserted ?: 0)
        }
        return null
    }

    /** What of the phone is synced: switched on in Android's account settings, and permitted. */
    class Parts(val contacts: Boolean, val calls: Boolean)

    companion object {
        /** So often one that waits for another looks whether it is still wanted. */
        private const val WAIT_MILLIS = 100L

        fun parts(context: Context, account: Account): Parts {
            fun has(name: String) = context.checkSelfPermission(name) == PERMISSION_GRANTED
            fun isOn(authority: String) = ContentResolver.getSyncAutomatically(account, authority)
            return Parts(
                contacts = isOn(ContactsContract.AUTHORITY) &&
                    has(permission.READ_CONTACTS) && has(permission.WRITE_CONTACTS),
                calls = isOn(CALLS_AUTHORITY) && has(permission.READ_CALL_LOG),
            )
        }
    }
}
