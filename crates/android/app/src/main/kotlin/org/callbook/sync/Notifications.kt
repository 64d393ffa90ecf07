package org.callbook.sync

import android.accounts.Account
import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import android.graphics.drawable.Icon
import org.callbook.R
import org.callbook.ui.MainActivity
import org.callbook.ui.SignInActivity
import org.callbook.ui.Words

/** What the user is told while the app is out of sight. One of a kind for each account; what is mended goes away. */
object Notifications {
    private const val SIGN_IN = 2
    private const val DELETES = 3
    private const val FAILING = 4
    private const val PERMISSION = 5
    private const val ATTENTION_CHANNEL = "attention"
    private const val PROGRESS_CHANNEL = "progress"

    private fun manager(context: Context) = context.getSystemService(NotificationManager::class.java)

    /** At the start of the app. */
    fun makeChannels(context: Context) {
        val attention = NotificationChannel(
            ATTENTION_CHANNEL, context.getString(R.string.channel_attention), NotificationManager.IMPORTANCE_DEFAULT,
        )
        val progress = NotificationChannel(
            PROGRESS_CHANNEL, context.getString(R.string.channel_progress), NotificationManager.IMPORTANCE_LOW,
        )
        manager(context).createNotificationChannels(listOf(attention, progress))
    }

    fun signIn(context: Context, account: Account, reason: String?) = show(context, account, SIGN_IN, reason) {
        setContentTitle(context.getString(R.string.notice_sign_in))
        setBody(Words.signIn(context, it))
        setContentIntent(activity(context, SignInActivity.intent(context, account)))
    }

    fun manyDeletes(context: Context, account: Account, count: Int) =
        show(context, account, DELETES, count.takeIf { it > 0 }) {
            setContentTitle(context.resources.getQuantityString(R.plurals.notice_deletes, count, count))
            setBody(context.getString(R.string.notice_deletes_text))
            setContentIntent(activity(context, MainActivity.intent(context)))
            // What was a mistake comes first: it is what harms.
            addAction(action(context, R.string.bring_back, Answers.intent(context, account, "drop_deletes")))
            addAction(action(context, R.string.delete_all, Answers.intent(context, account, "confirm_deletes")))
        }

    fun failing(context: Context, account: Account, code: String?) = show(context, account, FAILING, code) {
        setContentTitle(context.getString(R.string.notice_failing))
        setBody(Words.failure(context, it))
        setContentIntent(activity(context, MainActivity.intent(context)))
    }

    fun permission(context: Context, account: Account, isMissing: Boolean) =
        show(context, account, PERMISSION, true.takeIf { isMissing }) {
            setContentTitle(context.getString(R.string.notice_permission))
            setBody(context.getString(R.string.notice_permission_text))
            setContentIntent(activity(context, MainActivity.intent(context)))
        }

    /** Of a first sync. Its id is [Schedule.firstId]: two accounts may have theirs at a time. */
    fun progress(context: Context, account: Account, written: Long): Notification =
        Notification.Builder(context, PROGRESS_CHANNEL)
            .setSmallIcon(R.drawable.ic_sync)
            .setContentTitle(context.getString(R.string.first_sync))
            .setContentText(context.resources.getQuantityString(R.plurals.contacts_written, written.toInt(), written.toInt()))
            .setSubText(account.name)
            .setProgress(0, 0, true)
            .setOngoing(true)
            .setOnlyAlertOnce(true)
            .addAction(action(context, android.R.string.cancel, Answers.intent(context, account, Answers.CANCEL)))
            .build()

    fun showProgress(context: Context, account: Account, written: Long) =
        manager(context).notify(Schedule.firstId(context, account), progress(context, account, written))

    fun endProgress(context: Context, account: Account) = manager(context).cancel(Schedule.firstId(context, account))

    /** All of an account that is gone. */
    fun forget(context: Context, account: Account) =
        listOf(SIGN_IN, DELETES, FAILING, PERMISSION).forEach { manager(context).cancel(account.name, it) }

    private fun <T : Any> show(
        context: Context,
        account: Account,
        id: Int,
        about: T?,
        build: Notification.Builder.(T) -> Unit,
    ) {
        if (about == null) return manager(context).cancel(account.name, id)
        val builder = Notification.Builder(context, ATTENTION_CHANNEL)
            .setSmallIcon(R.drawable.ic_attention)
            .setSubText(account.name)
            .setOnlyAlertOnce(true)
        builder.build(about)
        manager(context).notify(account.name, id, builder.build())
    }

    private fun Notification.Builder.setBody(text: String) =
        setContentText(text).setStyle(Notification.BigTextStyle().bigText(text))

    private fun activity(context: Context, intent: Intent) = PendingIntent.getActivity(context, 0, intent, FLAGS)

    private fun action(context: Context, title: Int, intent: Intent): Notification.Action {
        val icon = Icon.createWithResource(context, R.drawable.ic_attention)
        val pending = PendingIntent.getBroadcast(context, title, intent, FLAGS)
        return Notification.Action.Builder(icon, context.getString(title), pending).build()
    }

    private const val FLAGS = PendingIntent.FLAG_UPDATE_CURRENT or PendingIntent.FLAG_IMMUTABLE
}
