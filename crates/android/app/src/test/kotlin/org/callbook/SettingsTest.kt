package org.callbook

import android.accounts.Account
import android.app.ActivityManager
import android.app.job.JobScheduler
import android.content.ClipboardManager
import android.content.ContentResolver
import android.content.Intent
import android.os.Build
import android.provider.CallLog
import android.provider.Settings
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.RadioGroup
import android.widget.Switch
import android.widget.TextView
import org.callbook.account.Accounts
import org.callbook.account.Books
import org.callbook.account.Notes
import org.callbook.account.SignIn
import org.callbook.engine.Server
import org.callbook.provider.FakeCallLog
import org.callbook.sync.CALLS_AUTHORITY
import org.callbook.sync.Permissions
import org.callbook.sync.Sync
import org.callbook.sync.Syncing
import org.callbook.ui.HelpActivity
import org.callbook.ui.LogActivity
import org.callbook.ui.PrivateActivity
import org.callbook.ui.SettingsTab
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog

/** What people choose, and what takes a phone out of trouble. */
class SettingsTest : UsedPhone() {
    @Test
    fun `to run while the phone sleeps is offered once, and a restriction is told`() {
        ContentResolver.setSyncAutomatically(account, CALLS_AUTHORITY, false)
        assertTrue(Syncing.run(app, account, Sync(app, account)).wentWell)
        main(0) { activity ->
            val offers = activity.findViewById<ViewGroup>(R.id.offers)
            await("the offer") { offers.childCount == 1 }
            // It is no trouble.
            assertEquals(app.getString(R.string.in_step), text(activity, R.id.state))
            assertEquals(app.getString(R.string.battery_text), offers.findViewById<TextView>(R.id.line2).text)
            offers.findViewById<Button>(R.id.button1).performClick()
            val asked = shadowOf(activity).nextStartedActivity
            assertEquals(Settings.ACTION_REQUEST_IGNORE_BATTERY_OPTIMIZATIONS, asked.action)
            await("no offer") { offers.childCount == 0 }
            shadowOf(app.getSystemService(ActivityManager::class.java)).setBackgroundRestricted(true)
            activity.show(0)
            val needs = activity.findViewById<ViewGroup>(R.id.needs)
            await("the restriction") { needs.childCount == 1 }
            assertEquals(app.getString(R.string.restricted), needs.findViewById<TextView>(R.id.line1).text)
        }
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `settings are the library's, and jobs follow them`() {
        main(3) { activity ->
            val tab = activity.tabs[3] as SettingsTab
            val jobs = app.getSystemService(JobScheduler::class.java)
            fun period() = jobs.allPendingJobs.firstOrNull { it.isPeriodic }?.intervalMillis
            tab.setInterval(60)
            await("an hour") { settings().optInt("interval") == 60 && period() == 3_600_000L }
            tab.setInterval(0)
            await("never") { settings().isNull("interval") && period() == null }
            val wifi = activity.findViewById<Switch>(R.id.wifi_only)
            wifi.performClick()
            assertTrue(Notes.of(app, account).wifiOnly)
            await("choices") { activity.findViewById<RadioGroup>(R.id.calls).checkedRadioButtonId == R.id.calls_all }
            activity.findViewById<RadioGroup>(R.id.calls).check(R.id.calls_in_book)
            activity.findViewById<Button>(R.id.save).performClick()
            await("only numbers of the book") { settings().getString("calls") == "in_book" }
        }
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `private things are kept from the book`() {
        Robolectric.buildActivity(PrivateActivity::class.java, PrivateActivity.intent(app, account)).setup().use {
            idle()
            await("settings") { it.get().runCatching { add("(415) 555-2671") }.isSuccess }
            await("kept") { settings().getJSONObject("private").getJSONArray("entries").length() == 1 }
            it.get().add(List(7) { true }, 0, 0)
            await("hours") { it.get().findViewById<ViewGroup>(R.id.hours).childCount == 1 }
        }
        PhoneBook(app.contentResolver).save(account, "Dr. Bloom", "+1 415 555 2671")
        val log = Robolectric.buildContentProvider(FakeCallLog::class.java).create(CallLog.AUTHORITY).get()
        grant(*Permissions.CALLS.toTypedArray())
        log.call("4155550101", System.currentTimeMillis())
        assertTrue(Sync(app, account).run().wentWell)
        OtherPhone(server).use { assertEquals(emptyList<String>(), it.shown()) }
        assertEquals(0, Script(server).calls())
        log.shutdown()
    }

    @Test
    fun `rebuilt from the book, what waits is kept`() {
        create("Ann Lee", "(415) 555-2671")
        Sync(app, account).run()
        create("Bob Ray", "415-555-0199")
        Books.rebuild(app, account)
        assertTrue(Sync(app, account).run().wentWell)
        assertEquals(listOf("Ann Lee: (415) 555-2671", "Bob Ray: 415-555-0199"), PhoneBook(app.contentResolver).shown(account))
        // And where its file is no file of the library any more.
        val file = Accounts.folder(app, Accounts.key(app, account)!!).resolve("book.db")
        Books.closeAll()
        file.parentFile!!.listFiles()!!.filter { it.name.startsWith("book.db-") }.forEach { it.delete() }
        file.writeText("this is a text and no database, ".repeat(50))
        assertEquals("not_a_store", Sync(app, account).run().failure)
        main(0) { activity ->
            await("what to do") { text(activity, R.id.state) == app.getString(R.string.needs_you) }
        }
        Books.rebuild(app, account)
        // How far its changes were counted, nobody knows any more: it signs in as another device.
        assertEquals("made_anew", Sync(app, account).run().signIn)
        assertEquals(null, SignIn.again(app, account, Server.PASSWORD).code)
        Sync(app, account).run().let { assertTrue(it.toString(), it.wentWell) }
        assertEquals(2, PhoneBook(app.contentResolver).raws(account).size)
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `to be let run is asked for with its reason`() = main(3) { activity ->
        fun asked(button: Int, why: Int): Intent? {
            activity.findViewById<Button>(button).performClick()
            val dialog = ShadowAlertDialog.getLatestAlertDialog()
            assertEquals(app.getString(why), shadowOf(dialog).message)
            dialog.getButton(android.app.AlertDialog.BUTTON_POSITIVE).performClick()
            idle()
            return shadowOf(activity).nextStartedActivity
        }
        val battery = asked(R.id.battery, R.string.battery_text)
        assertEquals(Settings.ACTION_REQUEST_IGNORE_BATTERY_OPTIMIZATIONS, battery?.action)
        // Apps are put to sleep since Android 11.
        val hibernation = activity.findViewById<Button>(R.id.hibernation)
        assertEquals(Build.VERSION.SDK_INT >= 30, hibernation.visibility == View.VISIBLE)
        if (hibernation.visibility == View.VISIBLE) {
            assertEquals(Intent.ACTION_AUTO_REVOKE_PERMISSIONS, asked(R.id.hibernation, R.string.hibernation_text)?.action)
        }
        activity.findViewById<Button>(R.id.help).performClick()
        assertEquals(HelpActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
    }

    @Test
    fun `the log is copied, and shared`() {
        create("Ann Lee", "(415) 555-2671")
        Sync(app, account).run()
        Robolectric.buildActivity(LogActivity::class.java, LogActivity.intent(app, account)).setup().use {
            await("the log") { "synced" in text(it.get(), R.id.log) }
            val log = text(it.get(), R.id.log)
            it.get().findViewById<Button>(R.id.copy).performClick()
            val copied = app.getSystemService(ClipboardManager::class.java).primaryClip!!.getItemAt(0).text.toString()
            assertEquals(log, copied)
            it.get().findViewById<Button>(R.id.share).performClick()
            @Suppress("DEPRECATION") // the other is of Android 13
            val shared = shadowOf(it.get()).nextStartedActivity.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)
            assertEquals(log, shared?.getStringExtra(Intent.EXTRA_TEXT))
        }
    }

    @Test
    fun `signed out, nothing of the account stays on the phone`() {
        val key = Accounts.key(app, account)!!
        main(3) { activity ->
            activity.findViewById<Button>(R.id.sign_out).performClick()
            val dialog = ShadowAlertDialog.getLatestAlertDialog()
            assertEquals(app.getString(R.string.sign_out_text), shadowOf(dialog).message)
            dialog.getButton(android.app.AlertDialog.BUTTON_POSITIVE).performClick()
            idle()
            assertTrue(activity.isFinishing)
        }
        assertEquals(emptyList<Account>(), accounts())
        await("its files are gone") { !Accounts.folder(app, key).exists() }
        await("its device has ended") { Script(server).devices("ann") == 0 }
    }
}
