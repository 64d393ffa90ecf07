package org.callbook.sync

import android.accounts.Account
import android.app.Service
import android.content.AbstractThreadedSyncAdapter
import android.content.ContentProviderClient
import android.content.ContentResolver
import android.content.Context
import android.content.Intent
import android.content.SyncResult
import android.os.Build
import android.os.Bundle
import android.os.Handler
import android.os.IBinder
import android.os.Looper
import java.util.concurrent.ConcurrentHashMap
import org.callbook.account.Books
import org.callbook.account.Notes
import org.callbook.engine.CallbookException

/**
 * How Android itself starts a sync: by hand in its settings, or since an app has changed a contact. It serves both
 * authorities, since one sync is of contacts and calls.
 */
class SyncAdapter(context: Context) : AbstractThreadedSyncAdapter(context, true, false) {
    /** By the thread that runs them. */
    private val running = ConcurrentHashMap<Thread, Sync>()

    override fun onPerformSync(
        account: Account,
        extras: Bundle,
        authority: String,
        provider: ContentProviderClient?,
        result: SyncResult,
    ) {
        if (extras.getBoolean(ContentResolver.SYNC_EXTRAS_INITIALIZE)) {
            ContentResolver.setIsSyncable(account, authority, 1)
            return
        }
        // The user has not said yet what of this phone the book gets.
        if (!Notes.of(context, account).hasChosen) return
        answerOverrides(account, extras)
        val sync = Sync(context, account)
        running[Thread.currentThread()] = sync
        val outcome = try {
            Syncing.run(context, account, sync, toServer = mayAskServer(account, extras))
        } finally {
            running.remove(Thread.currentThread())
        }
        report(outcome, result)
        if (Build.VERSION.SDK_INT >= 34) endPending(account, authority)
    }

    /** Android knows nothing of our switch for Wi-Fi: what it starts by itself is then only written down. */
    private fun mayAskServer(account: Account, extras: Bundle): Boolean =
        extras.getBoolean(ContentResolver.SYNC_EXTRAS_MANUAL) || !Notes.of(context, account).wifiOnly || Networks.isFree(context)

    /**
     * Since Android 14 a sync that was asked for while another ran may stay "pending" for ever. Not at once: Android would
     * drop the result that it is about to be told.
     */
    private fun endPending(account: Account, authority: String) {
        Handler(Looper.getMainLooper()).postDelayed({
            if (running.isEmpty()) ContentResolver.cancelSync(account, authority) else endPending(account, authority)
        }, PENDING_MILLIS)
    }

    /** Android's own dialogue asked its user about many deletes. */
    private fun answerOverrides(account: Account, extras: Bundle) {
        val command = when {
            extras.getBoolean(ContentResolver.SYNC_EXTRAS_OVERRIDE_TOO_MANY_DELETIONS) -> "confirm_deletes"
            extras.getBoolean(ContentResolver.SYNC_EXTRAS_DISCARD_LOCAL_DELETIONS) -> "drop_deletes"
            else -> return
        }
        try {
            Books.of(context, account).ask(command)
        } catch (_: CallbookException) {
            // The sync that follows fails in the same way, and says so.
        }
    }

    private fun report(outcome: Outcome, result: SyncResult) {
        result.stats.numInserts = outcome.inserted
        result.stats.numUpdates = outcome.updated
        result.stats.numDeletes = outcome.deleted
        result.stats.numEntries = outcome.inserted + outcome.updated + outcome.deleted
        when {
            outcome.cancelled -> Unit
            outcome.signIn != null -> result.stats.numAuthExceptions++
            outcome.failure in NETWORK -> result.stats.numIoExceptions++
            outcome.failure != null -> result.databaseError = true
            outcome.phoneTrouble -> result.stats.numIoExceptions++
        }
        if (outcome.unconfirmedDeletes > 0) {
            result.tooManyDeletions = true
            result.stats.numDeletes = outcome.unconfirmedDeletes.toLong()
        }
        // In seconds since 1970. After a sync that went well nothing is put off: a change is synced at once.
        if (outcome.failure != null) outcome.wakeAt?.let { result.delayUntil = it.epochSecond }
    }

    override fun onSyncCanceled(thread: Thread) {
        running[thread]?.cancel()
    }

    override fun onSyncCanceled() {
        running.values.forEach(Sync::cancel)
    }

    companion object {
        private const val PENDING_MILLIS = 2_000L

        /** What another try may mend. */
        val NETWORK = setOf("offline", "timed_out", "certificate", "captive_portal", "broken_answer", "no_thread", "try_later")
    }
}

/** Binds the sync adapter of contacts, and, declared once more, that of calls. */
open class SyncService : Service() {
    private val adapter by lazy { SyncAdapter(applicationContext) }

    override fun onBind(intent: Intent): IBinder = adapter.syncAdapterBinder
}

class CallsSyncService : SyncService()
