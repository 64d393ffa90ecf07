package org.callbook.sync

import android.accounts.Account
import android.app.Service
import android.app.job.JobParameters
import android.content.Context
import android.content.Intent
import android.os.Build
import android.os.IBinder
import org.callbook.account.account
import org.callbook.Work

/** The first sync on Android 14 and later: a data transfer that its user has started, with its notification. */
@android.annotation.TargetApi(34)
class FirstSyncJob : SyncingJob() {
    private var listener: (() -> Unit)? = null

    override fun work(params: JobParameters): List<Pair<Account, Boolean>> {
        val account = Schedule.account(this, params.extras) ?: return emptyList()
        val show = {
            val written = SyncState.progress(account) ?: 0
            val notification = Notifications.progress(this, account, written)
            setNotification(params, params.jobId, notification, JOB_END_NOTIFICATION_POLICY_REMOVE)
        }
        show()
        SyncState.listen(show)
        listener = show
        return listOf(account to true)
    }

    override fun ended(params: JobParameters) {
        listener?.let(SyncState::forget)
    }
}

/** The first sync before Android 14, of each account that has one. The service runs until the last of them has ended. */
class FirstSyncService : Service() {
    /** Used, as the next is, on the main thread alone. */
    private val running = ArrayList<Account>()

    /** Stopped by an older one, Android would drop a start that is on its way. */
    private var latestStart = 0

    override fun onBind(intent: Intent): IBinder? = null

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        latestStart = startId
        val account = intent?.account(ACCOUNT)
        if (account == null) {
            if (running.isEmpty()) stopSelf(startId)
            return START_NOT_STICKY
        }
        running += account
        showFirst(account)
        val show = { Notifications.showProgress(this, account, SyncState.progress(account) ?: 0) }
        SyncState.listen(show)
        Work.run({ Syncing.run(this, account, Sync(this, account)) }) {
            SyncState.forget(show)
            ended(account)
        }
        return START_NOT_STICKY
    }

    /** Android has the service run on for what this shows. */
    private fun showFirst(account: Account) =
        startForeground(Schedule.firstId(this, account), Notifications.progress(this, account, SyncState.progress(account) ?: 0))

    private fun ended(account: Account) {
        running -= account
        val other = running.lastOrNull()
        if (other == null) {
            stopForeground(STOP_FOREGROUND_REMOVE)
            stopSelf(latestStart)
        } else {
            showFirst(other)
        }
        if (account !in running) Notifications.endProgress(this, account)
    }

    companion object {
        private const val ACCOUNT = "account"

        fun start(context: Context, account: Account) {
            try {
                context.startForegroundService(startIntent(context, account))
            } catch (e: IllegalStateException) {
                // Android 12 allows none from the background: an ordinary job does it.
                if (Build.VERSION.SDK_INT < 31) throw e
                Schedule.now(context, account)
            }
        }

        fun startIntent(context: Context, account: Account): Intent =
            Intent(context, FirstSyncService::class.java).putExtra(ACCOUNT, account)
    }
}
