package org.callbook.sync

import android.accounts.Account
import android.app.job.JobParameters
import android.app.job.JobService
import android.os.Build
import java.util.concurrent.ConcurrentHashMap
import org.callbook.Work
import org.callbook.account.Accounts
import org.callbook.account.Notes

/** A job that syncs: Android may stop it at any time, and is told to start it again. */
abstract class SyncingJob : JobService() {
    private val running = ConcurrentHashMap<Int, List<Sync>>()

    /** Which accounts, and whether the server is asked. */
    protected abstract fun work(params: JobParameters): List<Pair<Account, Boolean>>

    protected open fun ended(params: JobParameters) = Unit

    override fun onStartJob(params: JobParameters): Boolean {
        val work = work(params).filter { (account, _) -> Notes.of(this, account).hasChosen }
        val syncs = work.map { (account, toServer) -> Triple(account, toServer, Sync(this, account)) }
        running[params.jobId] = syncs.map { it.third }
        Work.run {
            for ((account, toServer, sync) in syncs) {
                val outcome = Syncing.run(this, account, sync, toServer)
                if (outcome.cancelled) break
                // It goes when there is a network that may be used.
                if (!toServer && outcome.waiting > 0) Schedule.now(this, account)
            }
            ended(params)
            running.remove(params.jobId)
            jobFinished(params, false)
        }
        return true
    }

    override fun onStopJob(params: JobParameters): Boolean {
        // One that is scheduled anew at its own end is stopped too.
        val syncs = running.remove(params.jobId).orEmpty().filterNot(Sync::ended)
        if (syncs.isEmpty()) return false
        val reason = if (Build.VERSION.SDK_INT >= 31) params.stopReason.toString() else "unknown"
        Log.write(this, "job ${params.jobId} stopped by Android, reason $reason")
        syncs.forEach(Sync::cancel)
        return true
    }
}

/** Runs in the interval, and when the library asks for it. */
class SyncJob : SyncingJob() {
    override fun work(params: JobParameters): List<Pair<Account, Boolean>> =
        listOfNotNull(Schedule.account(this, params.extras)).map { it to true }
}

/**
 * Runs when a contact or a call has changed. What changed is written down first, so that a provider that is wiped
 * takes nothing with it; then the server is told, where the network may be used.
 */
class ChangesJob : SyncingJob() {
    override fun work(params: JobParameters): List<Pair<Account, Boolean>> =
        Accounts.all(this).map { it to mayUseNetwork(it) }

    /** Android forgets what it watched once the job has run. */
    override fun ended(params: JobParameters) = Schedule.changes(this)

    private fun mayUseNetwork(account: Account): Boolean =
        Networks.isThere(this) && (!Notes.of(this, account).wifiOnly || Networks.isFree(this))
}

/** A sync that everybody may see, and what follows from it. */
object Syncing {
    private val running: MutableSet<Pair<Account, Sync>> = ConcurrentHashMap.newKeySet()

    /** The user wants no more of it for now. */
    fun cancel(account: Account) = of(account).forEach(Sync::cancel)

    internal fun of(account: Account): List<Sync> = running.filter { it.first == account }.map { it.second }

    fun run(context: android.content.Context, account: Account, sync: Sync, toServer: Boolean = true): Outcome {
        running += account to sync
        SyncState.tell(account, 0)
        return try {
            val outcome = sync.run(toServer) { SyncState.tell(account, it) }
            if (toServer) Afterwards.of(context, account, outcome)
            outcome
        } finally {
            running -= account to sync
            SyncState.tell(account, null)
        }
    }
}
