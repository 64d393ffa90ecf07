package org.callbook

import android.accounts.Account
import android.app.job.JobScheduler
import android.content.ContentResolver
import android.content.Intent
import android.content.SyncResult
import android.os.Bundle
import android.provider.ContactsContract
import android.view.ViewGroup
import android.widget.TextView
import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.URI
import java.time.Duration
import java.time.Instant
import java.time.LocalDate
import kotlin.concurrent.thread
import org.callbook.account.Accounts
import org.callbook.account.Book
import org.callbook.account.Books
import org.callbook.account.Notes
import org.callbook.engine.Phone
import org.callbook.sync.Afterwards
import org.callbook.sync.Log
import org.callbook.sync.Outcome
import org.callbook.sync.Permissions
import org.callbook.sync.Schedule
import org.callbook.sync.Sync
import org.callbook.sync.SyncAdapter
import org.callbook.sync.SyncService
import org.callbook.sync.Syncing
import org.callbook.ui.LogActivity
import org.callbook.ui.MainActivity
import org.callbook.ui.SignInActivity
import org.callbook.ui.Times
import org.callbook.ui.Words
import org.json.JSONObject
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Before
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowContentResolver
import org.robolectric.shadows.ShadowLooper

/** Phones that are not as they should be: nothing is lost, and their users read what to do. */
class TroubleTest : AppTest() {
    private val book get() = PhoneBook(app.contentResolver)

    @Before
    fun phone() = grant(*Permissions.CONTACTS.toTypedArray())

    @After
    fun close() {
        Book.openPhone = Phone::open
    }

    private fun perform(account: Account, adapter: SyncAdapter = SyncAdapter(app)): SyncResult {
        val result = SyncResult()
        app.contentResolver.acquireContentProviderClient(ContactsContract.AUTHORITY)!!.use {
            adapter.onPerformSync(account, Bundle.EMPTY, ContactsContract.AUTHORITY, it, result)
        }
        return result
    }

    /** What the overview says needs its user. */
    private fun needs(account: Account, title: Int): String =
        Robolectric.buildActivity(MainActivity::class.java, MainActivity.intent(app, account)).setup().use {
            val needs = it.get().findViewById<ViewGroup>(R.id.needs)
            fun card() = (0 until needs.childCount).map(needs::getChildAt)
                .firstOrNull { card -> card.findViewById<TextView>(R.id.line1).text == app.getString(title) }
            await(app.getString(title)) { card() != null }
            card()!!.findViewById<TextView>(R.id.line2).text.toString()
        }

    /** A phone that is so many years off, as far as the server hears of its clock. */
    private fun syncsWithClockOff(years: Int) {
        val year = LocalDate.now().year
        val other = OtherPhone(server)
        Relay(server.address) { it.replace("\"$year-", "\"${year + years}-") }.use { relay ->
            other.create("Ann Lee", "(415) 555-2671")
            other.sync()
            val account = signIn(address = relay.address)
            book.save(account, "Ann L.", "+1 415 555 2671")
            book.save(account, "Bob Ray", "415-555-0199")
            assertTrue(Sync(app, account).run().wentWell)
            // Neither has its contact taken a number that others had before, nor is anything gone.
            other.sync()
            assertEquals(listOf("Ann Lee: (415) 555-2671", "Bob Ray: 415-555-0199"), other.shown())
            assertEquals(other.shown(), book.shown(account))
            assertEquals("Ann L.", Books.of(app, account).askList("duplicates").single().getJSONObject("had").getString("name"))
            other.edit(other.id("Bob Ray"), "Bob Raymond")
            other.sync()
            assertTrue(Sync(app, account).run().wentWell)
            assertEquals(other.shown(), book.shown(account))
            assertTrue(relay.rewritten > 0)
        }
        other.close()
    }

    @Test
    fun `a clock that is years ahead takes no number and loses nothing`() = syncsWithClockOff(7)

    @Test
    fun `a clock that is years behind takes no number and loses nothing`() = syncsWithClockOff(-7)

    @Test
    fun `a clock that was ahead keeps nobody from hearing of failures`() {
        val account = signIn()
        val notes = Notes.of(app, account)
        val now = Instant.now()
        val ahead = now.plus(Duration.ofDays(2_000))
        Afterwards.of(app, account, Outcome(), ahead)
        Afterwards.of(app, account, Outcome(failure = "certificate"), ahead)
        // It is right again: a day is a day from now on, and the last sync is told by its date.
        Afterwards.of(app, account, Outcome(failure = "certificate"), now)
        assertEquals(now, notes.failingSince)
        assertEquals(Times.day(app, ahead.toString()), Times.ago(app, notes.lastSync!!))
        assertTrue(Words.failure(app, "certificate").contains("date"))
        val failing = shadowOf(app.getSystemService(android.app.NotificationManager::class.java))
        assertEquals(0, failing.size())
        Afterwards.of(app, account, Outcome(failure = "certificate"), now.plus(Duration.ofDays(1)))
        assertEquals(1, failing.size())
    }

    @Test
    fun `an app without a library for this processor says so, and Android asks no more`() {
        val account = signIn()
        Books.closeAll()
        // As a phone's loader says it, and from then on the class that had asked for it.
        val errors = mutableListOf<LinkageError>(UnsatisfiedLinkError("dlopen failed"))
        Book.openPhone = { throw errors.removeFirstOrNull() ?: NoClassDefFoundError("org/callbook/engine/Native") }
        val result = perform(account)
        // A hard error: Android's backoff ends, and it does not try by itself.
        assertTrue(result.hasHardError())
        assertFalse(result.hasSoftError())
        assertEquals("no_library", Notes.of(app, account).failure)
        Schedule.all(app)
        assertEquals(0, app.getSystemService(JobScheduler::class.java).allPendingJobs.count { it.isPeriodic })
        assertEquals(app.getString(R.string.no_library), needs(account, R.string.cannot_open))
        Robolectric.buildActivity(SignInActivity::class.java, SignInActivity.intent(app, null)).setup().use {
            fill(it, "book.example.org")
            assertEquals(app.getString(R.string.no_library), text(it.get(), R.id.error))
        }
        // The right one is installed: all is there.
        Book.openPhone = Phone::open
        assertFalse(perform(account).hasError())
    }

    @Test
    fun `a file without room loses nothing and goes on when there is room`() {
        val disk = File(app.noBackupFilesDir, "books").apply { mkdirs() }
        fun mount(vararg options: String) =
            ProcessBuilder("mount", "-t", "tmpfs", *options, "tmpfs", disk.path).start().waitFor() == 0
        // Only root may make a small disk.
        assumeTrue("mount", runCatching { mount("-o", "size=600k") }.getOrDefault(false))
        try {
            OtherPhone(server).use { other ->
                repeat(2_000) { other.create("Contact $it", "+1 415 555 ${"%04d".format(it)}") }
                other.sync()
                val account = signIn()
                book.save(account, "Ann Lee", "(415) 555-2671")
                val full = Sync(app, account).run()
                assertEquals("storage_full", full.failure)
                Afterwards.of(app, account, full)
                assertEquals(app.getString(R.string.storage_full), needs(account, R.string.notice_failing))
                assertTrue(mount("-o", "remount,size=64m"))
                assertTrue(Sync(app, account).run().wentWell)
                other.sync()
                assertEquals(2_001, other.contacts().size)
                assertEquals(other.shown(), book.shown(account))
            }
        } finally {
            Books.closeAll()
            ProcessBuilder("umount", "-l", disk.path).start().waitFor()
        }
    }

    @Test
    fun `a sync that was asked for meanwhile does not stay pending`() {
        val account = signIn()
        val status = ShadowContentResolver.getStatus(account, ContactsContract.AUTHORITY)
        ContentResolver.requestSync(account, ContactsContract.AUTHORITY, Bundle())
        assertEquals(1, status.syncRequests)
        assertFalse(perform(account).hasError())
        // Not at once, since Android would drop the result; and then of this authority alone.
        val calls = ShadowContentResolver.getStatus(account, org.callbook.sync.CALLS_AUTHORITY, true)
        calls.syncRequests = 1
        assertEquals(1, status.syncRequests)
        ShadowLooper.idleMainLooper(2, java.util.concurrent.TimeUnit.SECONDS)
        assertEquals(0, status.syncRequests)
        assertEquals(1, calls.syncRequests)
    }

    @Test
    fun `what is pending when the next sync has begun ends after that`() = Relay(server.address).use { relay ->
        val account = signIn(address = relay.address)
        val adapter = SyncAdapter(app)
        fun idleForTwoSeconds() = ShadowLooper.idleMainLooper(2, java.util.concurrent.TimeUnit.SECONDS)
        assertFalse(perform(account, adapter).hasError())
        val status = ShadowContentResolver.getStatus(account, ContactsContract.AUTHORITY)
        ContentResolver.requestSync(account, ContactsContract.AUTHORITY, Bundle())
        relay.isSilent = true
        val next = thread { perform(account, adapter) }
        await("a request") { relay.waits > 0 }
        // Android would end the one that runs with those that wait.
        repeat(3) { idleForTwoSeconds() }
        assertEquals(1, status.syncRequests)
        assertTrue(next.isAlive)
        relay.isSilent = false
        next.join(30_000)
        assertEquals(1, status.syncRequests)
        idleForTwoSeconds()
        assertEquals(0, status.syncRequests)
    }

    @Test
    fun `a server that asks to wait is left alone for so long`() {
        val account = signIn()
        book.save(account, "Ann Lee", "(415) 555-2671")
        val port = URI(server.address).port
        server.close()
        ServerSocket(port, 50, InetAddress.getLoopbackAddress()).use { door ->
            thread(isDaemon = true) { runCatching { while (true) door.accept().use(::asksToWait) } }
            val result = perform(account)
            assertTrue(result.hasSoftError())
            // Android reads it as a time, in seconds since 1970.
            val wait = result.delayUntil - Instant.now().epochSecond
            assertTrue("$wait s", wait in 590..1_200)
        }
    }

    private fun asksToWait(phone: Socket) {
        phone.getInputStream().read(ByteArray(64 * 1024))
        val answer = "HTTP/1.1 503 Busy\r\nRetry-After: 600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        phone.getOutputStream().write(answer.toByteArray())
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `a sync that Android cancels ends within a second`() = Relay(server.address).use { relay ->
        val account = signIn(address = relay.address)
        relay.isSilent = true
        val binder = Robolectric.buildService(SyncService::class.java).create().get().onBind(Intent())
        val adapter = android.content.ISyncAdapter.Stub.asInterface(binder)
        val context = object : android.content.ISyncContext.Stub() {
            override fun sendHeartbeat() = Unit
            override fun onFinished(result: SyncResult) = Unit
        }
        org.robolectric.shadows.ShadowBinder.setCallingUid(android.os.Process.SYSTEM_UID)
        adapter.startSync(context, ContactsContract.AUTHORITY, account, Bundle())
        await("a request") { relay.waits > 0 }
        val began = System.nanoTime()
        adapter.cancelSync(context)
        await("its end") { Syncing.of(account).isEmpty() }
        val millis = (System.nanoTime() - began) / 1_000_000
        assertTrue("$millis ms", millis < 1_000)
        assertTrue(Log.lines(app).last().contains("cancelled"))
    }

    @Test
    fun `a sync that waits for another is cancelled by itself`() = Relay(server.address).use { relay ->
        val account = signIn(address = relay.address)
        relay.isSilent = true
        var first: Outcome? = null
        val running = thread { first = Sync(app, account).run() }
        await("a request") { relay.waits > 0 }
        val second = Sync(app, account)
        var outcome: Outcome? = null
        val waiting = thread { outcome = second.run() }
        Thread.sleep(200)
        assertTrue(waiting.isAlive)
        second.cancel()
        waiting.join(1_000)
        assertEquals(Outcome(cancelled = true), outcome)
        // The other goes on.
        assertTrue(running.isAlive)
        relay.isSilent = false
        running.join(30_000)
        assertFalse(first.toString(), first!!.cancelled)
    }

    @Test
    fun `screens wait for no request that is under way`() = Relay(server.address).use { relay ->
        val account = signIn(address = relay.address)
        val library = Books.of(app, account)
        library.ask("create") { put("edit", JSONObject("""{"set":{"name":"Ann Lee"}}""")) }
        relay.isSilent = true
        val sync = Sync(app, account)
        val syncing = thread { sync.run() }
        await("a request") { relay.waits > 0 }
        val began = System.nanoTime()
        val found = library.askObject("contacts") { put("query", "ann") }.getJSONArray("contacts")
        println("found after ${(System.nanoTime() - began) / 1_000_000} ms, while a request was under way")
        assertEquals(1, found.length())
        assertEquals(1, library.askObject("status").getInt("unpushed"))
        assertTrue(syncing.isAlive)
        sync.cancel()
        syncing.join(10_000)
        assertFalse(syncing.isAlive)
        relay.isSilent = false
        assertTrue(Sync(app, account).run().wentWell)
        assertEquals(0, library.askObject("status").getInt("unpushed"))
    }

    @Test
    fun `a file that was made anew says why somebody must sign in`() {
        val account = signIn()
        OtherPhone(server).use { other ->
            other.create("Ann Lee", "(415) 555-2671")
            other.sync()
        }
        book.save(account, "Bob Ray", "415-555-0199")
        assertTrue(Sync(app, account).run().wentWell)
        book.save(account, "Cy Dot", "415-555-0123")
        Books.closeAll()
        val folder = Accounts.folder(app, Accounts.key(app, account)!!)
        folder.listFiles()!!.filter { it.name.startsWith("book.db-") }.forEach { it.delete() }
        folder.resolve("book.db").writeText("no database ".repeat(50))
        perform(account)
        assertEquals(app.getString(R.string.store_damaged), needs(account, R.string.cannot_open))
        Books.rebuild(app, account)
        perform(account)
        assertEquals(app.getString(R.string.session_made_anew), needs(account, R.string.notice_sign_in))
        assertEquals(null, org.callbook.account.SignIn.again(app, account, org.callbook.engine.Server.PASSWORD).code)
        assertFalse(Notes.of(app, account).isMadeAnew)
        assertFalse(perform(account).hasError())
        assertEquals(listOf("Ann Lee", "Bob Ray", "Cy Dot"), book.shown(account).map { it.substringBefore(':') })
    }

    @Test
    fun `the log has what the library tells, each request when that is wanted, and no number`() {
        val account = signIn()
        fun shown() = Robolectric.buildActivity(LogActivity::class.java, LogActivity.intent(app, account)).setup().use {
            await("the log") { text(it.get(), R.id.log).isNotEmpty() }
            text(it.get(), R.id.log)
        }
        Robolectric.buildActivity(LogActivity::class.java, LogActivity.intent(app, account)).setup().use {
            it.get().findViewById<android.view.View>(R.id.detailed).performClick()
        }
        book.save(account, "Ann Lee", "(415) 555-2671")
        assertTrue(Sync(app, account).run().wentWell)
        val log = shown()
        assertTrue(log, log.lines().any { "INFO callbook_android" in it && "a sync has ended" in it })
        assertTrue(log, log.lines().any { "/sync/contacts" in it })
        // A time may have milliseconds that look like a part of the number.
        val said = log.drop(100).replace(Regex("""[-\d]+T[\d:.]+Z"""), "")
        for (secret in listOf("Ann", "555", "2671", org.callbook.engine.Server.PASSWORD)) assertFalse(secret, secret in said)
        // The latest first, whoever wrote it.
        val times = log.lines().drop(1).map { it.take(24) }
        assertEquals(times.sortedDescending(), times)
    }
}
