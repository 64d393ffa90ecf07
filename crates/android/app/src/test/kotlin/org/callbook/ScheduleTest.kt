package org.callbook

import android.Manifest.permission
import android.accounts.Account
import android.app.Notification
import android.app.NotificationManager
import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.Intent
import android.os.Build
import android.provider.CallLog
import android.provider.ContactsContract
import java.time.Duration
import java.time.Instant
import org.callbook.account.Accounts
import org.callbook.account.Books
import org.callbook.account.Notes
import org.callbook.sync.Afterwards
import org.callbook.sync.ChangesJob
import org.callbook.sync.FirstSyncJob
import org.callbook.sync.Log
import org.callbook.sync.Outcome
import org.callbook.sync.Permissions
import org.callbook.sync.Schedule
import org.callbook.sync.Sync
import org.callbook.sync.SyncJob
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadow.api.Shadow
import org.robolectric.util.ReflectionHelpers

/** When syncs run, and what their users are told: on each Android that the code asks for. */
@Config(sdk = [26, 31, 33, 34])
class ScheduleTest : AppTest() {
    private val jobs get() = app.getSystemService(JobScheduler::class.java)
    private val notifications get() = app.getSystemService(NotificationManager::class.java)

    private fun periodic(): JobInfo? = jobs.allPendingJobs.firstOrNull { it.isPeriodic }

    private fun once(): JobInfo? = jobs.allPendingJobs.firstOrNull { !it.isPeriodic && it.triggerContentUris == null }

    private fun changes(): JobInfo? = jobs.allPendingJobs.firstOrNull { it.triggerContentUris != null }

    private fun interval(account: Account, minutes: Any) {
        val book = Books.of(app, account)
        book.ask("set_settings") { put("settings", book.askObject("settings").put("interval", minutes)) }
        Schedule.periodic(app, account)
    }

    @Test
    fun `after boot and after an update`() {
        grant(*(Permissions.CONTACTS + Permissions.CALLS).toTypedArray())
        val account = signIn()
        for (action in listOf(Intent.ACTION_BOOT_COMPLETED, Intent.ACTION_MY_PACKAGE_REPLACED)) {
            jobs.cancelAll()
            app.sendBroadcast(Intent(action).setPackage(app.packageName))
            await("jobs after $action") { periodic() != null && changes() != null }
            assertEquals(Duration.ofMinutes(30).toMillis(), periodic()!!.intervalMillis)
            assertTrue(periodic()!!.isPersisted)
            assertEquals(account, Schedule.account(app, periodic()!!.extras))
            assertEquals(
                setOf(ContactsContract.AUTHORITY_URI, CallLog.Calls.CONTENT_URI),
                changes()!!.triggerContentUris!!.map { it.uri }.toSet(),
            )
            // Within seconds, and however long somebody goes on writing.
            assertEquals(3_000L to 30_000L, changes()!!.triggerContentUpdateDelay to changes()!!.triggerContentMaxDelay)
        }
        Accounts.remove(app, account)
        Schedule.all(app)
        assertEquals(emptyList<JobInfo>(), jobs.allPendingJobs)
    }

    @Test
    fun `the interval, and on which networks`() {
        val account = signIn()
        Schedule.all(app)
        interval(account, 15)
        assertEquals(Duration.ofMinutes(15).toMillis(), periodic()!!.intervalMillis)
        assertEquals(JobInfo.NETWORK_TYPE_ANY, periodic()!!.networkType)
        Notes.of(app, account).wifiOnly = true
        Schedule.periodic(app, account)
        assertEquals(JobInfo.NETWORK_TYPE_UNMETERED, periodic()!!.networkType)
        interval(account, 1_440)
        assertEquals(Duration.ofDays(1).toMillis(), periodic()!!.intervalMillis)
        Schedule.now(app, account)
        assertEquals(JobInfo.NETWORK_TYPE_UNMETERED, once()!!.networkType)
        Notes.of(app, account).wifiOnly = false
        Schedule.networks(app, account)
        assertEquals(JobInfo.NETWORK_TYPE_ANY, periodic()!!.networkType)
        assertEquals(JobInfo.NETWORK_TYPE_ANY, once()!!.networkType)
        interval(account, org.json.JSONObject.NULL)
        assertNull(periodic())
        // Only after changes: there is no next sync to speak of.
        assertNull(Sync(app, account).run().also { assertTrue(it.wentWell) }.wakeAt)
    }

    @Test
    fun `sooner, when the server asks for it`() {
        val account = signIn()
        Schedule.all(app)
        val now = Instant.now()
        Afterwards.of(app, account, Outcome(failure = "offline", wakeAt = now.plusSeconds(90)), now)
        assertEquals(90_000, once()!!.minLatencyMillis)
        // Later than the interval: that is soon enough.
        Afterwards.of(app, account, Outcome(wakeAt = now.plusSeconds(1_800)), now)
        assertNull(once())
    }

    private fun params(job: JobInfo): JobParameters = Shadow.newInstanceOf(JobParameters::class.java).also {
        ReflectionHelpers.setField(it, "jobId", job.id)
        ReflectionHelpers.setField(it, "extras", job.extras)
        if (Build.VERSION.SDK_INT >= 31) ReflectionHelpers.setField(it, "mStopReason", JobParameters.STOP_REASON_TIMEOUT)
    }

    private inline fun <reified T : android.app.job.JobService> start(params: JobParameters): T {
        val service = Robolectric.buildService(T::class.java).create().get()
        assertTrue(service.onStartJob(params))
        return service
    }

    @Test
    fun `a job syncs`() {
        val account = signIn()
        Schedule.all(app)
        start<SyncJob>(params(periodic()!!))
        await("a sync") { Notes.of(app, account).lastSync != null }
    }

    @Test
    @Config(sdk = [34])
    fun `a first sync since Android 14`() {
        val account = signIn()
        Schedule.first(app, account)
        val job = jobs.allPendingJobs.single { it.isUserInitiated }
        val service = start<FirstSyncJob>(params(job))
        await("its end") { shadowOf(service).isJobFinished }
        assertNotNull(Notes.of(app, account).lastSync)
    }

    @Test
    @Config(sdk = [31, 33])
    fun `a first sync that Android 12 lets no service do is an ordinary job's`() {
        val account = signIn()
        Schedule.all(app)
        val inBackground = object : android.content.ContextWrapper(app) {
            override fun startForegroundService(service: Intent) = throw android.app.ForegroundServiceStartNotAllowedException("")
        }
        assertNull(once())
        Schedule.first(inBackground, account)
        start<SyncJob>(params(once()!!))
        await("a sync") { Notes.of(app, account).lastSync != null }
    }

    /** Robolectric's own forgets what a job shows. */
    @Implements(JobService::class)
    class ShownJob : org.robolectric.shadows.ShadowJobService() {
        @Implementation
        override fun setNotification(params: JobParameters, id: Int, notification: Notification, atEnd: Int) {
            shown += Triple(id, notification, atEnd)
        }

        companion object {
            val shown = mutableListOf<Triple<Int, Notification, Int>>()
        }
    }

    @Test
    @Config(sdk = [34], shadows = [ShownJob::class])
    fun `a first sync since Android 14 shows how far it is, and is cancelled in its notification`() {
        Relay(server.address).use { relay ->
            val account = signIn(address = relay.address)
            Schedule.first(app, account)
            ShownJob.shown.clear()
            relay.isSilent = true
            val service = start<FirstSyncJob>(params(jobs.allPendingJobs.single { it.isUserInitiated }))
            // At once: Android ends a job of this kind that shows nothing.
            val (_, notification, atEnd) = ShownJob.shown.first()
            assertEquals(JobService.JOB_END_NOTIFICATION_POLICY_REMOVE, atEnd)
            assertEquals(app.getString(R.string.first_sync), title(notification))
            await("a request") { relay.waits > 0 }
            notification.actions.single().actionIntent.send()
            await("its end") { shadowOf(service).isJobFinished }
            assertTrue(Log.lines(app).last().contains("cancelled"))
            assertFalse(shadowOf(service).isRescheduleNeeded)
        }
    }

    @Test
    fun `a change is written down where there is no network`() {
        grant(*Permissions.CONTACTS.toTypedArray())
        val book = PhoneBook(app.contentResolver)
        val account = signIn()
        assertTrue(Sync(app, account).run().wentWell)
        network(isFree = null)
        book.save(account, "Ann Lee", "(415) 555-2671")
        Schedule.changes(app)
        jobs.allPendingJobs.forEach { if (it.isPeriodic) jobs.cancel(it.id) }
        val watching = changes()!!
        jobs.cancel(watching.id)
        start<ChangesJob>(params(watching))
        await("the change in the outbox") { Books.of(app, account).askObject("status").getInt("unpushed") == 1 }
        // Android forgets what it watched; it watches again.
        await("watching again") { changes() != null }
        // It goes when there is a network.
        await("a job for that") { once() != null }
        assertEquals(JobInfo.NETWORK_TYPE_ANY, once()!!.networkType)
        // A provider that is wiped now takes nothing with it.
        book.lose(account)
        assertTrue(Sync(app, account).run().wentWell)
        assertEquals(listOf("Ann Lee: (415) 555-2671"), book.shown(account))
    }

    @Test
    fun `a job that Android stops is written down and comes again`() {
        Relay(server.address).use { relay ->
            val account = signIn(address = relay.address)
            Schedule.all(app)
            relay.isSilent = true
            val params = params(periodic()!!)
            val service = start<SyncJob>(params)
            await("a request") { relay.waits > 0 }
            val began = System.nanoTime()
            assertTrue(service.onStopJob(params))
            await("the end") { Log.lines(app).last().contains("cancelled") }
            val millis = (System.nanoTime() - began) / 1_000_000
            println("stopped after $millis ms")
            assertTrue("$millis ms", millis < 1_000)
            val reason = if (Build.VERSION.SDK_INT >= 31) "${JobParameters.STOP_REASON_TIMEOUT}" else "unknown"
            assertTrue(Log.lines(app).any { it.endsWith("stopped by Android, reason $reason") })
            // It says nothing of trouble, and the next goes on.
            assertNull(Notes.of(app, account).failure)
            relay.isSilent = false
            assertTrue(Sync(app, account).run().wentWell)
            assertFalse(service.onStopJob(params))
        }
    }

    private fun shown(): List<Notification> = notifications.activeNotifications.map { it.notification }

    private fun title(notification: Notification) = notification.extras.getString(Notification.EXTRA_TITLE)

    @Test
    fun `who is to sign in is told, once`() {
        val account = signIn()
        Afterwards.of(app, account, Outcome(signIn = "ended"))
        assertEquals(listOf(app.getString(R.string.notice_sign_in)), shown().map(::title))
        Afterwards.of(app, account, Outcome())
        assertEquals(0, shown().size)
    }

    @Test
    fun `a failure is told after a day`() {
        val account = signIn()
        val now = Instant.now()
        Afterwards.of(app, account, Outcome(failure = "offline"), now)
        Afterwards.of(app, account, Outcome(failure = "offline"), now.plusSeconds(3_600))
        assertEquals(0, shown().size)
        Afterwards.of(app, account, Outcome(failure = "offline"), now.plusSeconds(90_000))
        assertEquals(app.getString(R.string.offline), shown().single().extras.getString(Notification.EXTRA_TEXT))
        Afterwards.of(app, account, Outcome(), now.plusSeconds(90_001))
        assertEquals(0, shown().size)
    }

    @Test
    fun `many deletes are asked about, with bringing back first`() {
        val account = signIn()
        Afterwards.of(app, account, Outcome(unconfirmedDeletes = 60))
        val actions = shown().single().actions.map { it.title.toString() }
        assertEquals(listOf(app.getString(R.string.bring_back), app.getString(R.string.delete_all)), actions)
        // Two answers are two intents.
        val intents = shown().single().actions.map { shadowOf(it.actionIntent).savedIntent.action }
        assertEquals(listOf("drop_deletes", "confirm_deletes"), intents)
        shown().single().actions[0].actionIntent.send()
        await("no question any more") { shown().isEmpty() }
    }

    @Test
    fun `a permission that is taken away is missed, one that was never given is not`() {
        val account = signIn()
        Afterwards.of(app, account, Outcome())
        assertEquals(0, shown().size)
        grant(permission.READ_CALL_LOG)
        Afterwards.of(app, account, Outcome())
        deny(permission.READ_CALL_LOG)
        Afterwards.of(app, account, Outcome())
        assertEquals(listOf(app.getString(R.string.notice_permission)), shown().map(::title))
    }
}
