package org.callbook

import android.accounts.Account
import android.app.NotificationManager
import android.app.job.JobScheduler
import android.content.ContentResolver
import android.content.Intent
import android.content.OperationApplicationException
import android.net.Uri
import android.os.Build
import android.provider.CallLog
import android.provider.ContactsContract
import android.provider.Settings
import android.view.MotionEvent
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.EditText
import android.widget.ListView
import android.widget.RadioGroup
import android.widget.TextView
import java.time.LocalDate
import org.callbook.account.Books
import org.callbook.account.Notes
import org.callbook.provider.FakeCallLog
import org.callbook.sync.CALLS_AUTHORITY
import org.callbook.sync.FirstSyncService
import org.callbook.sync.Log
import org.callbook.sync.Permissions
import org.callbook.sync.Sync
import org.callbook.sync.SyncState
import org.callbook.sync.Syncing
import org.callbook.ui.CallsTab
import org.callbook.ui.ChoicesActivity
import org.callbook.ui.ContactActivity
import org.callbook.ui.Days
import org.callbook.ui.DeletedActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog

/** What people do with the book on the screens, and what comes of it. */
class UseTest : UsedPhone() {


    @Test
    @Config(sdk = [26, 31, 33, 34])
    fun `choosing what the book gets begins the first sync`() {
        Notes.of(app, account).hasChosen = false
        val phones = PhoneBook(app.contentResolver)
        phones.save(Account("ann@example.org", "com.google"), "Gus Hall", "415-555-0188")
        phones.save(null, "Dee Moss", "415-555-0177")
        Robolectric.buildActivity(ChoicesActivity::class.java, ChoicesActivity.intent(app, account)).setup().use {
            val accounts = it.get().findViewById<ViewGroup>(R.id.accounts)
            await("accounts") { accounts.childCount == 2 }
            accounts.getChildAt(0).performClick() // this phone's own are left out
            it.get().findViewById<RadioGroup>(R.id.calls).check(R.id.calls_none)
            it.get().findViewById<Button>(R.id.start).performClick()
            // Only what has not been asked yet is asked for, and nothing where Android has no permission for notifications.
            val asked = shadowOf(it.get()).lastRequestedPermission?.requestedPermissions?.toList()
            assertEquals(listOf("android.permission.POST_NOTIFICATIONS").takeIf { Build.VERSION.SDK_INT >= 33 }, asked)
            if (asked != null) it.get().onRequestPermissionsResult(1, emptyArray(), IntArray(0))
            await("the main screen") { it.get().isFinishing }
        }
        assertTrue(Notes.of(app, account).hasChosen)
        assertFalse(ContentResolver.getSyncAutomatically(account, CALLS_AUTHORITY))
        val chosen = settings().getJSONObject("follow").getJSONArray("chosen")
        assertEquals("com.google", chosen.getJSONObject(0).getString("type"))
        if (Build.VERSION.SDK_INT >= 34) {
            assertTrue(app.getSystemService(JobScheduler::class.java).allPendingJobs.any { it.isUserInitiated })
        } else {
            assertEquals(FirstSyncService::class.java.name, shadowOf(app).nextStartedService.component?.className)
        }
        assertTrue(Sync(app, account).run().wentWell)
        assertEquals(listOf("Gus Hall: 415-555-0188"), phones.shown(account))
    }

    @Test
    @Config(sdk = [26, 31, 33])
    fun `a first sync before Android 14 shows that it runs, and goes`() {
        repeat(20) { create("Contact $it", "+1 415 555 %04d".format(it)) }
        val service = Robolectric.buildService(FirstSyncService::class.java, FirstSyncService.startIntent(app, account)).create()
        service.startCommand(0, 1)
        assertNotNull(shadowOf(service.get()).lastForegroundNotification)
        await("its end") { shadowOf(service.get()).isStoppedBySelf }
        assertNotNull(Notes.of(app, account).lastSync)
        assertEquals(0, app.getSystemService(NotificationManager::class.java).activeNotifications.size)
    }

    @Test
    @Config(sdk = [26, 31, 33])
    fun `a first sync is cancelled in its notification`() {
        repeat(300) { create("Contact $it", "+1 415 555 %04d".format(it)) }
        Sync(app, account).run()
        PhoneBook(app.contentResolver).lose(account)
        val service = Robolectric.buildService(FirstSyncService::class.java, FirstSyncService.startIntent(app, account)).create()
        val gate = java.util.concurrent.CountDownLatch(1)
        contacts.beforeOperation = { _, operation -> if (operation == 10) gate.await() }
        service.startCommand(0, 1)
        await("its beginning") { Syncing.of(account).isNotEmpty() }
        val notification = shadowOf(service.get()).lastForegroundNotification
        notification.actions.single().actionIntent.send()
        // It may have ended by now, before the gate.
        await("cancelled") { Syncing.of(account).all { it.stopped } }
        gate.countDown()
        await("its end") { shadowOf(service.get()).isStoppedBySelf }
        assertTrue(Log.lines(app).last().contains("cancelled"))
        assertTrue(PhoneBook(app.contentResolver).raws(account).size < 300)
    }

    @Test
    @Config(sdk = [26, 31, 33])
    fun `two first syncs at a time show both, and the service stays for the second`() {
        Script(server).addUser("mia")
        val second = signIn("mia")
        // Each waits until nobody holds its book.
        val books = listOf(account, second).map { Books.of(app, it) }
        books.forEach { it.syncing.lock() }
        val service = Robolectric.buildService(FirstSyncService::class.java).create()
        val shadow = shadowOf(service.get())
        fun shown() = app.getSystemService(NotificationManager::class.java).activeNotifications
            .map { it.notification.extras.getString(android.app.Notification.EXTRA_SUB_TEXT) }.toSet()
        for ((at, of) in listOf(account, second).withIndex()) {
            service.withIntent(FirstSyncService.startIntent(app, of)).startCommand(0, at + 1)
            await("its beginning") { Syncing.of(of).isNotEmpty() }
        }
        await("both") { shown() == setOf(account.name, second.name) }
        books[0].syncing.unlock()
        await("the end of the first") { Syncing.of(account).isEmpty() && account.name !in shown() }
        assertFalse(shadow.isStoppedBySelf || shadow.isForegroundStopped)
        assertEquals(setOf(second.name), shown())
        books[1].syncing.unlock()
        await("the end of the second") { shadow.isStoppedBySelf }
        assertTrue(shadow.isForegroundStopped)
        assertEquals(emptySet<String>(), shown())
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `sync now, and undo a duplicate`() {
        Script(server).addUser("mia")
        OtherPhone(server, "mia").use {
            it.create("Ann Lee", "(415) 555-2671")
            it.sync()
        }
        PhoneBook(app.contentResolver).save(account, "Ann L.", "+1 415 555 2671")
        main(0) { activity ->
            activity.findViewById<Button>(R.id.sync).performClick()
            val duplicates = activity.findViewById<ViewGroup>(R.id.duplicates)
            await("a duplicate") { duplicates.childCount == 1 && SyncState.progress(account) == null }
            assertEquals("Ann L.", duplicates.findViewById<TextView>(R.id.line1).text)
            // Why, and by whom: the other phone's user saved the older one.
            await("by whom") { "mia" in duplicates.findViewById<TextView>(R.id.line2).text }
            assertTrue(duplicates.findViewById<TextView>(R.id.line2).text.startsWith("Ann Lee is older"))
            // It is not asked again, and forgotten with the duplicate.
            val older = book.askList("duplicates").single().getString("owner")
            fun by() = Notes.of(app, account).origin(older)?.by
            assertEquals("mia", by())
            duplicates.findViewById<Button>(R.id.button1).performClick()
            await("marked as shared") { book.askObject("status").getInt("unpushed") == 1 }
            activity.findViewById<Button>(R.id.sync).performClick()
            await("no duplicate") { duplicates.childCount == 0 && by() == null }
        }
        assertEquals(2, PhoneBook(app.contentResolver).raws(account).size)
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `what needs the user is shown first`() {
        deny(*Permissions.CONTACTS.toTypedArray())
        Notes.of(app, account).signIn = "ended"
        main(0) { activity ->
            val needs = activity.findViewById<ViewGroup>(R.id.needs)
            await("needs") { needs.childCount == 2 }
            val titles = List(2) { needs.getChildAt(it).findViewById<TextView>(R.id.line1).text }
            assertEquals(listOf(R.string.notice_sign_in, R.string.notice_permission).map(app::getString), titles)
            assertEquals(app.getString(R.string.needs_you), text(activity, R.id.state))
        }
    }

    @Test
    fun `refused twice, a permission leads to Android's own page`() {
        ContentResolver.setSyncAutomatically(account, CALLS_AUTHORITY, false)
        deny(*Permissions.CONTACTS.toTypedArray())
        main(0) { activity ->
            val needs = activity.findViewById<ViewGroup>(R.id.needs)
            await("what is missing") { needs.childCount == 1 }
            needs.findViewById<Button>(R.id.button1).performClick()
            val asked = shadowOf(activity).lastRequestedPermission
            assertEquals(Permissions.CONTACTS, asked.requestedPermissions.toList())
            activity.onRequestPermissionsResult(asked.requestCode, asked.requestedPermissions, intArrayOf(-1, -1))
            val page = shadowOf(activity).nextStartedActivity
            assertEquals(Settings.ACTION_APPLICATION_DETAILS_SETTINGS to "package:org.callbook", page.action to page.dataString)
        }
    }

    @Test
    fun `pulled down, the overview syncs`() = main(0) { activity ->
        val pull = activity.findViewById<View>(R.id.pull)
        fun touch(action: Int, y: Float) =
            MotionEvent.obtain(0, 0, action, 50f, y, 0).also { pull.dispatchTouchEvent(it) }.recycle()
        fun pull(to: Float) {
            touch(MotionEvent.ACTION_DOWN, 10f)
            for (y in listOf(60f, 120f, to)) touch(MotionEvent.ACTION_MOVE, y)
            touch(MotionEvent.ACTION_UP, to)
            idle()
        }
        pull(130f * activity.resources.displayMetrics.density)
        await("a sync") { Notes.of(app, account).lastSync != null }
    }

    @Test
    fun `a contact that the phone did not take is told`() {
        create("Ann Lee", "(415) 555-2671")
        contacts.beforeOperation = { _, _ -> throw OperationApplicationException("of the maker's own") }
        Sync(app, account).run()
        main(0) { activity ->
            val aside = activity.findViewById<ViewGroup>(R.id.aside)
            await("a card") { aside.childCount == 1 }
            assertEquals("Ann Lee", aside.findViewById<TextView>(R.id.line1).text)
            assertEquals(app.getString(R.string.not_taken), aside.findViewById<TextView>(R.id.line2).text)
            contacts.beforeOperation = { _, _ -> }
            activity.findViewById<Button>(R.id.sync).performClick()
            await("it is taken") { aside.childCount == 0 }
        }
        assertEquals(1, PhoneBook(app.contentResolver).raws(account).size)
    }

    @Test
    fun `contacts that the book cannot take are told, and why`() {
        val phones = PhoneBook(app.contentResolver)
        phones.save(account, "Big", "415-555-0109", note = "n".repeat(1_500_000))
        phones.save(account, "Huge", "415-555-0108", note = "n".repeat(5_000_000))
        phones.save(account, "Nul\u0000la", "415-555-0107")
        assertTrue(Syncing.run(app, account, Sync(app, account)).wentWell)
        main(0) { activity ->
            val aside = activity.findViewById<ViewGroup>(R.id.aside)
            await("cards") { aside.childCount == 3 }
            val said = List(3) { at -> aside.getChildAt(at).findViewById<TextView>(R.id.line2).text.toString() }
            assertEquals(
                listOf(R.string.unreadable_text, R.string.unfit_too_long, R.string.unfit_nul).map(app::getString).toSet(),
                said.toSet(),
            )
            val one = app.resources.getQuantityString(R.plurals.unreadable, 1, 1)
            assertEquals(one, aside.getChildAt(0).findViewById<TextView>(R.id.line1).text)
        }
    }

    @Test
    fun `looking for somebody by name and by number`() {
        repeat(1_000) { create("Contact $it", "+1 415 ${"%07d".format(2_000_000 + it)}") }
        create("Zoë Abel", "415-555-0123")
        main(1) { activity ->
            val list = activity.findViewById<ListView>(R.id.list)
            await("the whole book") { list.adapter.count == 1_001 }
            val search = activity.findViewById<EditText>(R.id.search)
            for (query in listOf("zoë", "5550123", "abel zoë")) {
                val began = System.nanoTime()
                search.setText(query)
                await(query) { list.adapter.count == 1 }
                println("$query: ${(System.nanoTime() - began) / 1_000_000} ms among 1,001")
            }
            shadowOf(list).performItemClick(0)
            assertEquals(ContactActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
            search.setText("nobody at all")
            await("nobody") { list.adapter.count == 0 }
            assertEquals(app.getString(R.string.nothing_found), text(activity, R.id.empty))
            activity.findViewById<View>(R.id.add).performClick()
            assertEquals(Intent.ACTION_INSERT, shadowOf(activity).nextStartedActivity.action)
        }
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `a contact is called, and edited in the phone's own editor`() {
        val id = create("Ann Lee", "(415) 555-2671")
        Sync(app, account).run()
        Robolectric.buildActivity(ContactActivity::class.java, ContactActivity.intent(app, account, id)).setup().use {
            val parts = it.get().findViewById<ViewGroup>(R.id.parts)
            await("a number") { parts.childCount > 0 }
            parts.getChildAt(0).performClick()
            val call = shadowOf(it.get()).nextStartedActivity
            assertEquals(Intent.ACTION_DIAL to "tel:(415) 555-2671", call.action to Uri.decode(call.dataString))
            it.get().findViewById<View>(R.id.edit).performClick()
            await("the editor") { shadowOf(it.get()).peekNextStartedActivity() != null }
            assertEquals(Intent.ACTION_EDIT, shadowOf(it.get()).nextStartedActivity.action)
        }
    }

    @Test
    @Config(qualifiers = "de")
    fun `what kind of a number it is says Android in the phone's language`() {
        val edit = """{"set":{"name":"Ann Lee"},"add":{
            "phones":[{"number":"415-555-0101","type":"mobile"},{"number":"415-555-0102","type":"mms"},
                {"number":"415-555-0103","type":"work","label":"Lager"},{"number":"415-555-0104","type":"brand-new"}],
            "emails":[{"value":"ann@example.org","type":"work"}],"addresses":[{"value":"Main Street 1","type":"home"}],
            "urls":[{"value":"https://example.org","type":"homepage"}]}}"""
        val id = book.ask("create") { put("edit", org.json.JSONObject(edit)) } as String
        Robolectric.buildActivity(ContactActivity::class.java, ContactActivity.intent(app, account, id)).setup().use {
            val parts = it.get().findViewById<ViewGroup>(R.id.parts)
            await("its numbers") { parts.childCount >= 7 }
            val kinds = List(7) { at -> parts.getChildAt(at).findViewById<TextView>(R.id.line2).text.toString() }
            assertEquals(listOf("Mobil", "MMS", "Lager", "", "Geschäftlich", "", "Privat"), kinds)
        }
    }

    @Test
    fun `what a contact said before is said again`() {
        val id = create("Ann Lee", "(415) 555-2671")
        Sync(app, account).run()
        book.ask("edit") { put("id", id).put("edit", org.json.JSONObject("""{"set":{"name":"Ann Mill"}}""")) }
        Sync(app, account).run()
        Robolectric.buildActivity(ContactActivity::class.java, ContactActivity.intent(app, account, id)).setup().use {
            val parts = it.get().findViewById<ViewGroup>(R.id.parts)
            await("its history") { parts.childCount >= 3 }
            parts.getChildAt(parts.childCount - 1).performClick()
            ShadowAlertDialog.getLatestAlertDialog().getButton(android.app.AlertDialog.BUTTON_POSITIVE).performClick()
            await("restored") {
                Sync(app, account).run()
                book.askObject("contact") { put("id", id) }.getString("name") == "Ann Lee"
            }
        }
    }

    @Test
    fun `a contact says who saved it, and a hidden one who keeps its number`() {
        Script(server).addUser("mia")
        val other = OtherPhone(server, "mia")
        val older = other.create("Ann Lee", "(415) 555-2671")
        other.sync()
        val hidden = create("Ann L.", "+1 415 555 2671")
        Sync(app, account).run()
        book.ask("edit") { put("id", older).put("edit", org.json.JSONObject("""{"set":{"name":"Ann Mill"}}""")) }
        Sync(app, account).run()
        val today = org.callbook.ui.Times.day(app, java.time.Instant.now().toString())
        fun says(id: String, isThere: (List<String>) -> Boolean) =
            Robolectric.buildActivity(ContactActivity::class.java, ContactActivity.intent(app, account, id)).setup().use {
                val parts = it.get().findViewById<ViewGroup>(R.id.parts)
                await("what the server knows") { isThere(rows(parts)) }
                rows(parts)
            }
        val said = says(older) { rows -> rows.any { "Saved by" in it } }
        assertTrue("$said", "Ann Mill: Saved by ann, $today" in said && "Ann Lee: Saved by mia, $today" in said)
        assertTrue("$said", said.any { it.startsWith("Ann L.: Younger, since $today") })
        val why = says(hidden) { rows -> rows.any { "keeps this number" in it } }
        assertTrue("$why", why.any { it.startsWith("Ann Mill is older and keeps this number") })
        other.close()
    }

    @Test
    fun `what was deleted is brought back`() {
        val ids = listOf("Ann Lee" to "415-555-2671", "Bob Ray" to "415-555-0199").map { (name, number) -> create(name, number) }
        Sync(app, account).run()
        ids.forEach { id -> book.ask("delete") { put("id", id) } }
        Sync(app, account).run()
        main(1) { activity ->
            activity.findViewById<View>(R.id.deleted).performClick()
            assertEquals(DeletedActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
        }
        Robolectric.buildActivity(DeletedActivity::class.java, DeletedActivity.intent(app, account)).setup().use {
            val list = it.get().findViewById<ListView>(R.id.list)
            await("deleted contacts") { list.adapter.count == 2 }
            val search = it.get().findViewById<EditText>(R.id.search)
            search.setText("ray 0199")
            await("one by name and number") { list.adapter.count == 1 }
            search.setText("nobody at all")
            await("nobody") { text(it.get(), R.id.empty) == app.getString(R.string.nobody_deleted) }
            search.setText("")
            await("deleted contacts again") { list.adapter.count == 2 }
            val ann = (0 until 2).first { at -> (list.adapter.getItem(at) as org.json.JSONObject).getString("name") == "Ann Lee" }
            shadowOf(list).performItemClick(ann)
            ShadowAlertDialog.getLatestAlertDialog().getButton(android.app.AlertDialog.BUTTON_POSITIVE).performClick()
            await("one is back") { list.adapter.count == 1 }
        }
        Sync(app, account).run()
        assertEquals(listOf("Ann Lee: 415-555-2671"), PhoneBook(app.contentResolver).shown(account))
        server.close()
        Robolectric.buildActivity(DeletedActivity::class.java, DeletedActivity.intent(app, account)).setup().use {
            await("that it needs the network") { text(it.get(), R.id.empty) == app.getString(R.string.offline) }
        }
    }

    @Test
    fun `calls of some days, and without the network those that the phone has`() {
        val log = Robolectric.buildContentProvider(FakeCallLog::class.java).create(CallLog.AUTHORITY).get()
        grant(*Permissions.CALLS.toTypedArray())
        val ann = create("Ann Lee", "(415) 555-2671")
        val noon = LocalDate.now().atStartOfDay(java.time.ZoneId.systemDefault()).plusHours(12).toInstant().toEpochMilli()
        val day = 86_400_000L
        log.call("4155552671", noon - 3 * day)
        log.call("4155550101", noon - 10 * day)
        log.call("4155550102", noon - 40 * day)
        Script(server).addUser("mia")
        signIn("mia").let { mia -> // whose calls are the same, of the same phone
            ContentResolver.setSyncAutomatically(mia, ContactsContract.AUTHORITY, false)
            Sync(app, mia).run()
        }
        assertTrue(Sync(app, account).run().wentWell)
        log.shutdown()
        main(2) { activity ->
            val list = activity.findViewById<ListView>(R.id.list)
            val tab = activity.tabs[2] as CallsTab
            fun calls() = (0 until list.adapter.count).mapNotNull { list.adapter.getItem(it) as? org.json.JSONObject }
            fun numbers() = calls().map { it.getString("phone_number") }.distinct()
            val offline = activity.findViewById<View>(R.id.offline)
            fun check(isOnline: Boolean) {
                val all = listOf("4155552671", "4155550101", "4155550102")
                for ((days, count) in listOf(null to 3, Days.last(7) to 1, Days.last(30) to 2, Days.last(1) to 0)) {
                    tab.show(days)
                    await("$count numbers of $days") {
                        numbers() == all.take(count) && (offline.visibility == View.VISIBLE) != isOnline
                    }
                }
                assertEquals(app.getString(R.string.no_calls), text(activity, R.id.empty))
                tab.show(null)
                await("all again") { calls().size == 6 }
                assertEquals("Ann Lee", calls().first().getJSONObject("contact").getString("name"))
            }
            check(isOnline = true)
            server.close()
            check(isOnline = false)
            assertTrue(app.getString(R.string.offline) in text(activity, R.id.offline_text))
            activity.findViewById<EditText>(R.id.search).setText("lee")
            await("by name") { calls().size == 2 }
            assertEquals(setOf("ann", "mia"), calls().map { it.getString("username") }.toSet())
        }
        // A contact's own too.
        Robolectric.buildActivity(ContactActivity::class.java, ContactActivity.intent(app, account, ann)).setup().use {
            val parts = it.get().findViewById<ViewGroup>(R.id.parts)
            await("its calls") { rows(parts).count { row -> row.startsWith(app.getString(R.string.call_incoming)) } == 2 }
        }
    }

    @Test
    fun `days are chosen, in either order`() {
        val chosen = mutableListOf<Days?>()
        main(2) { activity ->
            Days.ask(activity) { chosen += it }
            shadowOf(ShadowAlertDialog.getLatestAlertDialog()).clickOnItem(1)
            Days.ask(activity) { chosen += it }
            shadowOf(ShadowAlertDialog.getLatestAlertDialog()).clickOnItem(4)
            for (day in listOf(20, 3)) {
                val dialog = org.robolectric.shadows.ShadowDialog.getLatestDialog() as android.app.DatePickerDialog
                dialog.updateDate(2026, 10, day)
                dialog.getButton(android.app.AlertDialog.BUTTON_POSITIVE).performClick()
                idle()
            }
        }
        val today = LocalDate.now()
        assertEquals(listOf(Days(today, today), Days(LocalDate.of(2026, 11, 3), LocalDate.of(2026, 11, 20))), chosen)
    }
}
