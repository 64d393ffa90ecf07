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
            setNotification(params, Notifications.PROGRESS, notification, JOB_END_NOTIFICATION_POLICY_REMOVE)
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

/** The first sync before Android 14. */
class FirstSyncService : Service() {
    override fun onBind(intent: Intent): IBinder? = null

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        val account = intent?.account(ACCOUNT)
        if (account == null) {
            stopSelf(startId)
            return START_NOT_STICKY
        }
        startForeground(Notifications.PROGRESS, Notifications.progress(this, account, 0))
        val show = { Notifications.showProgress(this, account, SyncState.progress(account) ?: 0) }
        SyncState.listen(show)
        Work.run({ Syncing.run(this, account, Sync(this, account)) }) {
            SyncState.forget(show)
            stopForeground(STOP_FOREGROUND_REMOVE)
            stopSelf(startId)
        }
        return START_NOT_STICKY
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
