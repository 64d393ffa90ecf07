package org.callbook.sync

import android.accounts.Account
import android.app.job.JobInfo
import android.app.job.JobScheduler
import android.content.ComponentName
import android.content.Context
import android.os.Build
import android.os.PersistableBundle
import android.provider.CallLog
import android.provider.ContactsContract
import java.time.Duration
import java.time.Instant
import org.callbook.account.Accounts
import org.callbook.account.Books
import org.callbook.account.Notes
import org.callbook.engine.CallbookException

/**
 * When syncs run. Per account one job in its interval and, when the library wants one earlier, one at that time; for
 * the whole app one job that wakes when a contact or a call has changed.
 */
object Schedule {
    private const val PERIODIC = 1_000
    private const val AGAIN = 2_000
    private const val FIRST = 3_000
    private const val CHANGES = 1
    private const val ACCOUNT = "account"

    /** A change is synced after so much quiet, and after so much noise at the latest. */
    private val QUIET: Duration = Duration.ofSeconds(3)
    private val NOISE: Duration = Duration.ofSeconds(30)

    private fun jobs(context: Context) = context.getSystemService(JobScheduler::class.java)

    /** Jobs of accounts have numbers; an account keeps its own. */
    private fun number(context: Context, account: Account): Int =
        Accounts.key(context, account).hashCode().and(0x7fff) * 10_000

    /** Of an account's first sync: its job, and the notification that shows how far it is. */
    fun firstId(context: Context, account: Account): Int = FIRST + number(context, account)

    /** The account of a job, if it is still there. */
    fun account(context: Context, extras: PersistableBundle): Account? {
        val key = extras.getString(ACCOUNT) ?: return null
        return Accounts.all(context).firstOrNull { Accounts.key(context, it) == key }
    }

    /** All of it anew: at boot, after an update of the app, when accounts or settings have changed. In the background. */
    fun all(context: Context) {
        val accounts = Accounts.all(context)
        val wanted = accounts.flatMap { listOf(PERIODIC, AGAIN, FIRST).map { kind -> kind + number(context, it) } }
        jobs(context).allPendingJobs.map(JobInfo::getId).filter { it != CHANGES && it !in wanted }
            .forEach(jobs(context)::cancel)
        accounts.forEach { periodic(context, it) }
        if (accounts.isEmpty()) jobs(context).cancel(CHANGES) else changes(context)
    }

    /** The interval has changed, or on which networks. */
    fun periodic(context: Context, account: Account) {
        val id = PERIODIC + number(context, account)
        val minutes = try {
            Books.of(context, account).askObject("settings").let { if (it.isNull("interval")) null else it.getLong("interval") }
        } catch (_: CallbookException) {
            null
        }
        if (minutes == null) return jobs(context).cancel(id)
        val builder = builder(context, account, id).setPeriodic(Duration.ofMinutes(minutes).toMillis()).setPersisted(true)
        val job = builder.build()
        // Scheduling it anew would begin its period anew.
        val same = jobs(context).getPendingJob(id)
            ?.let { it.intervalMillis == job.intervalMillis && it.networkType == job.networkType } ?: false
        if (!same) jobs(context).schedule(job)
    }

    /** On which networks has changed: what waits for another may go now. */
    fun networks(context: Context, account: Account) {
        periodic(context, account)
        if (jobs(context).getPendingJob(AGAIN + number(context, account)) != null) now(context, account)
    }

    /** The library wants to sync at this time: after a failure, or since the server asks for it. */
    fun again(context: Context, account: Account, at: Instant, now: Instant) {
        val id = AGAIN + number(context, account)
        val next = jobs(context).getPendingJob(PERIODIC + number(context, account))?.intervalMillis ?: Long.MAX_VALUE
        val wait = Duration.between(now, at).toMillis().coerceAtLeast(0)
        if (wait >= next) return jobs(context).cancel(id)
        jobs(context).schedule(builder(context, account, id).setMinimumLatency(wait).setPersisted(true).build())
    }

    /** The first sync of an account: as its user waits for it, it may run on. */
    fun first(context: Context, account: Account) {
        if (Build.VERSION.SDK_INT < 34) return FirstSyncService.start(context, account)
        val job = builder(context, account, firstId(context, account), FirstSyncJob::class.java)
            .setUserInitiated(true)
            .setEstimatedNetworkBytes(JobInfo.NETWORK_BYTES_UNKNOWN.toLong(), JobInfo.NETWORK_BYTES_UNKNOWN.toLong())
        try {
            if (jobs(context).schedule(job.build()) == JobScheduler.RESULT_SUCCESS) return
        } catch (_: RuntimeException) {
            // Not while the app is out of sight: an ordinary job does it.
        }
        again(context, account, Instant.now(), Instant.now())
    }

    /** As soon as it can be: the user asks. */
    fun now(context: Context, account: Account) = again(context, account, Instant.now(), Instant.now())

    /** Wakes when a contact or a call has changed. Android forgets it at boot and once it has run. */
    fun changes(context: Context) {
        val job = JobInfo.Builder(CHANGES, ComponentName(context, ChangesJob::class.java))
            .setTriggerContentUpdateDelay(QUIET.toMillis())
            .setTriggerContentMaxDelay(NOISE.toMillis())
        if (Permissions.hasAll(context, Permissions.CONTACTS)) job.watch(ContactsContract.AUTHORITY_URI)
        if (Permissions.hasAll(context, Permissions.CALLS)) job.watch(CallLog.Calls.CONTENT_URI)
        val built = try {
            job.build()
        } catch (_: IllegalArgumentException) {
            return // there is nothing to watch
        }
        if (built.triggerContentUris.isNullOrEmpty()) jobs(context).cancel(CHANGES) else jobs(context).schedule(built)
    }

    private fun JobInfo.Builder.watch(uri: android.net.Uri) =
        addTriggerContentUri(JobInfo.TriggerContentUri(uri, JobInfo.TriggerContentUri.FLAG_NOTIFY_FOR_DESCENDANTS))

    private fun builder(
        context: Context,
        account: Account,
        id: Int,
        service: Class<*> = SyncJob::class.java,
    ): JobInfo.Builder {
        val network = if (Notes.of(context, account).wifiOnly) JobInfo.NETWORK_TYPE_UNMETERED else JobInfo.NETWORK_TYPE_ANY
        return JobInfo.Builder(id, ComponentName(context, service))
            .setRequiredNetworkType(network)
            .setExtras(PersistableBundle().apply { putString(ACCOUNT, Accounts.key(context, account)) })
    }
}
