package org.callbook

import android.accounts.Account
import android.accounts.AccountManager
import android.content.ContentResolver
import android.content.Intent
import android.content.SyncResult
import android.database.Cursor
import android.database.CursorWrapper
import android.database.MatrixCursor
import android.database.sqlite.SQLiteFullException
import android.net.Uri
import android.os.Bundle
import android.provider.ContactsContract.AUTHORITY
import android.provider.ContactsContract.Data
import android.provider.ContactsContract.RawContacts
import android.provider.ContactsContract.Settings
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import org.callbook.account.Books
import org.callbook.account.Notes
import org.callbook.sync.Afterwards
import org.callbook.sync.Answers
import org.callbook.sync.Outcome
import org.callbook.sync.Permissions
import org.callbook.sync.Sync
import org.callbook.sync.SyncAdapter
import org.callbook.sync.SyncService
import org.json.JSONObject
import org.junit.After
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.annotation.Config

class ContactsSyncTest : AppTest() {
    private lateinit var account: Account
    private lateinit var other: OtherPhone
    private val book get() = PhoneBook(app.contentResolver)
    private val google = Account("ann@example.org", "com.google")

    @Before
    fun phone() {
        grant(*Permissions.CONTACTS.toTypedArray())
        account = signIn()
        other = OtherPhone(server)
    }

    @After
    fun close() = other.close()

    private fun sync(): Outcome = Sync(app, account).run()

    private fun syncsWell() = sync().also { assertTrue(it.toString(), it.wentWell) }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `first sync in both directions`() {
        book.save(account, "Ann Lee", "(415) 555-2671")
        book.save(google, "Gus Hall", "415-555-0188")
        book.save(null, "Dee Moss", "415-555-0177")
        other.create("Bob Ray", "415-555-0199")
        other.sync()
        syncsWell()
        other.sync()
        val all = listOf("Ann Lee: (415) 555-2671", "Bob Ray: 415-555-0199", "Dee Moss: 415-555-0177", "Gus Hall: 415-555-0188")
        assertEquals(all, other.shown())
        assertEquals(all, book.shown(account))
        // Other accounts are as they were, and no sync of theirs was asked for.
        assertEquals(listOf("Gus Hall: 415-555-0188"), book.shown(google))
        assertEquals(2, book.dirty())
        // Most of a book has no label: the phone shows such contacts too. That is said once.
        val shown = app.contentResolver.query(Settings.CONTENT_URI, arrayOf(Settings.UNGROUPED_VISIBLE), null, null, null)!!
        assertEquals(listOf(1), shown.use { c -> buildList { while (c.moveToNext()) add(c.getInt(0)) } })
        // A quiet sync writes nothing.
        val batches = contacts.batches
        syncsWell()
        assertEquals(batches, contacts.batches)
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `edits and deletes reach a second phone and come back`() {
        val ann = book.save(account, "Ann Lee", "(415) 555-2671")
        val bob = book.save(account, "Bob Ray", "415-555-0199")
        syncsWell()
        book.rename(ann, "Ann Miller")
        book.delete(bob)
        syncsWell()
        other.sync()
        assertEquals(listOf("Ann Miller: (415) 555-2671"), other.shown())
        other.edit(other.id("Ann Miller"), "Ann M. Miller", "415-555-0133")
        other.sync()
        syncsWell()
        assertEquals(listOf("Ann M. Miller: (415) 555-2671, 415-555-0133"), book.shown(account))
        assertEquals(0, book.dirty())
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `of duplicates the oldest stays, and the other may come back`() {
        other.create("Ann Lee", "(415) 555-2671")
        other.sync()
        book.save(account, "Ann L.", "+1 415 555 2671")
        syncsWell()
        assertEquals(listOf("Ann Lee: (415) 555-2671"), book.shown(account))
        val duplicate = Books.of(app, account).askList("duplicates").single()
        assertEquals("Ann L.", duplicate.getJSONObject("had").getString("name"))
        Books.of(app, account).ask("undo_duplicate") { put("id", duplicate.getString("id")) }
        syncsWell()
        assertEquals(listOf("Ann L.: +1 415 555 2671", "Ann Lee: (415) 555-2671"), book.shown(account))
        assertEquals(0, Books.of(app, account).askList("duplicates").size)
    }

    private fun many(count: Int) = repeat(count) { other.create("Contact $it", "+1 415 555 ${"%04d".format(it)}") }

    /** Power is lost at an operation of the fourth batch, of which a part is committed or none. */
    private fun dies(at: Int, isPartDone: Boolean) {
        class PowerLost : Error()
        many(300)
        other.sync()
        var before = 0
        contacts.beforeOperation = { batch, operation ->
            if (batch == 4 && operation == 0) before = book.raws(account).size
            if (batch == 4 && operation == at) throw PowerLost()
        }
        val died = runCatching { sync() }.exceptionOrNull()
        assertTrue("$died", died is PowerLost)
        assertEquals(isPartDone, book.raws(account).size > before)
        Books.closeAll()
        contacts.beforeOperation = { _, _ -> }
        syncsWell()
        assertEquals(300, book.raws(account).size)
        other.sync()
        assertEquals(other.shown(), book.shown(account))
        assertEquals(0, Books.of(app, account).askList("duplicates").size)
    }

    @Test
    fun `the process dies while contacts are written`() = dies(at = 0, isPartDone = false)

    @Test
    fun `the process dies while contacts are written and others wait`() = dies(at = 100, isPartDone = true)

    @Test
    @Config(sdk = [26, 31, 34])
    fun `a provider that throws on the third batch`() {
        many(500)
        other.sync()
        contacts.beforeOperation = { batch, _ -> check(batch != 3) { "of the maker's own" } }
        val outcome = sync()
        assertNull(outcome.failure)
        contacts.beforeOperation = { _, _ -> }
        syncsWell()
        assertEquals(other.shown(), book.shown(account))
    }

    @Test
    fun `a provider that gives no cursor, and one that gives NULL`() {
        val ann = book.save(account, "Ann Lee", "(415) 555-2671")
        syncsWell()
        // What its user has changed is read again: nothing of it may be taken for an answer.
        book.rename(ann, "Ann Miller")
        fun nulls(found: Cursor) = found.use {
            MatrixCursor(it.columnNames).apply { repeat(it.count) { addRow(arrayOfNulls<Any>(columnCount)) } }
        }
        fun nullsIn(table: Uri) = { uri: Uri, found: Cursor -> if (uri.path == table.path) nulls(found) else found }
        val troubles = listOf<(Uri, Cursor) -> Cursor?>(
            { _, found -> found.close().let { null } },
            nullsIn(RawContacts.CONTENT_URI),
            nullsIn(Data.CONTENT_URI),
        )
        for (trouble in troubles) {
            contacts.given = trouble
            assertTrue(sync().phoneTrouble)
            contacts.given = { _, found -> found }
            other.sync()
            assertEquals(listOf("Ann Lee: (415) 555-2671"), other.shown())
        }
        syncsWell()
        other.sync()
        assertEquals(listOf("Ann Miller: (415) 555-2671"), other.shown())
        assertEquals(other.shown(), book.shown(account))
    }

    @Test
    fun `cancelled in the middle`() {
        many(300)
        other.sync()
        val sync = Sync(app, account)
        contacts.beforeOperation = { batch, operation -> if (batch == 3 && operation == 50) sync.cancel() }
        assertTrue(sync.run().cancelled)
        assertTrue(book.raws(account).size < 300)
        syncsWell()
        assertEquals(300, book.raws(account).size)
    }

    @Test
    fun `cancelled while a slow phone writes, it ends within a second`() {
        many(300)
        other.sync()
        // At the beginning of each batch once: of those that follow the first, the phone has told how fast it is.
        for (at in listOf(1, 2, 4, 5, 6)) {
            val sync = Sync(app, account)
            val before = contacts.batches
            var cancelled = 0L
            contacts.beforeOperation = { batch, operation ->
                if (batch == before + at && operation == 0) {
                    cancelled = System.nanoTime()
                    sync.cancel()
                }
                Thread.sleep(5)
            }
            assertTrue(sync.run().cancelled)
            val millis = (System.nanoTime() - cancelled) / 1_000_000
            println("cancelled in batch $at, it ended after $millis ms")
            assertTrue("$millis ms", millis < 1_000)
        }
        assertTrue(book.raws(account).size in 1 until 300)
        contacts.beforeOperation = { _, _ -> }
        syncsWell()
        other.sync()
        assertEquals(300, book.raws(account).size)
        assertEquals(other.shown(), book.shown(account))
        assertEquals(0, Books.of(app, account).askList("duplicates").size)
    }

    @Test
    fun `cancelled while a slow phone reads, it ends within a second`() {
        book.saveMany(account, 1_500, { "Mine $it" }, { "+1 415 ${"%07d".format(2_000_000 + it)}" })
        val sync = Sync(app, account)
        var (rows, cancelled) = 0 to 0L
        fun slow(found: Cursor) = object : CursorWrapper(found) {
            override fun moveToNext(): Boolean {
                Thread.sleep(1)
                if (++rows == 100) {
                    cancelled = System.nanoTime()
                    sync.cancel()
                }
                return super.moveToNext()
            }
        }
        contacts.given = { _, found -> slow(found) }
        assertTrue(sync.run().cancelled)
        val millis = (System.nanoTime() - cancelled) / 1_000_000
        assertTrue("$millis ms", millis < 1_000)
        contacts.given = { _, found -> found }
        syncsWell()
        other.sync()
        assertEquals(1_500, other.contacts().size)
    }

    @Test
    fun `contacts that are lost are not deleted`() {
        many(30)
        other.sync()
        syncsWell()
        book.lose(account)
        assertEquals(0, syncsWell().unconfirmedDeletes)
        assertEquals(30, book.raws(account).size)
        other.sync()
        assertEquals(30, other.shown().size)
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `names of all kinds, and what cannot be in the book`() {
        val names = listOf("😀 Ann", "\u200fעדה", "Zoë\u0301")
        names.forEachIndexed { at, name -> book.save(account, name, "415-555-010$at") }
        book.save(account, "Big", "415-555-0109", note = "n".repeat(1_500_000))
        book.save(account, "Huge", "415-555-0108", note = "n".repeat(5_000_000))
        book.save(account, "Nul\u0000la", "415-555-0107")
        val outcome = sync()
        // Of the larger Android's own window has no room, of the smaller the book.
        assertEquals(1, outcome.unreadable)
        assertEquals(setOf("too_long", "nul"), Books.of(app, account).askList("unfit").map { it.getString("unfit") }.toSet())
        other.sync()
        assertEquals(names.toSet(), other.contacts().map { it.getString("name") }.toSet())
        // All stay on the phone as they are.
        assertEquals(6, book.raws(account).size)
    }

    private fun perform(extras: Bundle = Bundle.EMPTY, of: Account = account): SyncResult {
        val result = SyncResult()
        app.contentResolver.acquireContentProviderClient(AUTHORITY)!!.use {
            SyncAdapter(app).onPerformSync(of, extras, AUTHORITY, it, result)
        }
        return result
    }

    @Test
    fun `Android is told what a sync did`() {
        many(3)
        other.sync()
        val result = perform()
        assertEquals(3, result.stats.numInserts)
        assertFalse(result.hasError())
        assertEquals(0, result.delayUntil)
        assertEquals("in step", 0, Books.of(app, account).askObject("status").getInt("unpushed"))
        assertTrue(Notes.of(app, account).lastSync != null)
        server.close()
        book.save(account, "Cy Dot", "415-555-0123")
        val failed = perform()
        assertTrue(failed.hasSoftError())
        assertEquals(1, failed.stats.numIoExceptions)
        assertEquals("offline", Notes.of(app, account).failure)
        assertEquals(1, Books.of(app, account).askObject("status").getInt("unpushed"))
    }

    @Test
    fun `Android is told that somebody must sign in, and does not try by itself`() {
        Script(server).addUser("mia")
        val mia = signIn("mia")
        assertFalse(perform(of = mia).hasError())
        Script(server).disable("mia")
        val result = perform(of = mia)
        assertEquals(1, result.stats.numAuthExceptions)
        assertTrue(result.hasHardError())
        assertFalse(result.hasSoftError())
        assertTrue(Notes.of(app, mia).signIn != null)
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `what Android starts by itself waits for Wi-Fi where that is wanted, and what its user starts does not`() {
        fun unpushed() = Books.of(app, account).askObject("status").getInt("unpushed")
        syncsWell()
        Notes.of(app, account).wifiOnly = true
        network(isFree = false)
        book.save(account, "Ann Lee", "(415) 555-2671")
        assertFalse(perform().hasError())
        assertEquals(1, unpushed())
        network(isFree = true)
        perform()
        assertEquals(0, unpushed())
        network(isFree = false)
        book.save(account, "Bob Ray", "415-555-0199")
        perform(extra(ContentResolver.SYNC_EXTRAS_MANUAL))
        assertEquals(0, unpushed())
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `many deletes are asked about`() {
        many(60)
        other.sync()
        syncsWell()
        assertEquals(60, book.deleteAll(account))
        val asked = perform()
        assertTrue(asked.tooManyDeletions)
        assertEquals(60, asked.stats.numDeletes)
        other.sync()
        assertEquals(60, other.shown().size)
        // By mistake: they come back.
        assertFalse(perform(extra(ContentResolver.SYNC_EXTRAS_DISCARD_LOCAL_DELETIONS)).tooManyDeletions)
        assertEquals(60, book.raws(account).size)
        // And meant.
        book.deleteAll(account)
        assertTrue(perform().tooManyDeletions)
        assertFalse(perform(extra(ContentResolver.SYNC_EXTRAS_OVERRIDE_TOO_MANY_DELETIONS)).tooManyDeletions)
        other.sync()
        assertEquals(emptyList<String>(), other.shown())
    }

    private fun extra(name: String) = Bundle().apply { putBoolean(name, true) }

    /** The way Android calls: it binds the service, and a thread of the adapter's syncs. */
    @Test
    @Config(sdk = [26, 31, 34])
    fun `over the binder`() {
        many(1)
        other.sync()
        val binder = Robolectric.buildService(SyncService::class.java).create().get().onBind(Intent())
        val done = CountDownLatch(1)
        val context = object : android.content.ISyncContext.Stub() {
            override fun sendHeartbeat() = Unit
            override fun onFinished(result: SyncResult) = done.countDown()
        }
        org.robolectric.shadows.ShadowBinder.setCallingUid(android.os.Process.SYSTEM_UID)
        android.content.ISyncAdapter.Stub.asInterface(binder).startSync(context, AUTHORITY, account, Bundle())
        assertTrue(done.await(20, TimeUnit.SECONDS))
        assertEquals(1, book.raws(account).size)
    }

    @Test
    fun `ten thousand contacts`() {
        book.saveMany(account, 5_000, { "Mine $it" }, { "+1 415 ${"%07d".format(2_000_000 + it)}" })
        repeat(5_000) { other.create("Theirs $it", "+1 415 ${"%07d".format(3_000_000 + it)}") }
        other.sync()
        val began = System.nanoTime()
        syncsWell()
        println("10,000 contacts, 5,000 each way: %.1f s".format((System.nanoTime() - began) / 1e9))
        other.sync()
        assertEquals(10_000, book.raws(account).size)
        assertEquals(other.shown(), book.shown(account))
        // A phone that is fast is given as much at a time as Android takes.
        assertTrue("${contacts.largestBatch} operations", contacts.largestBatch > 490)
        for ((query, found) in listOf("mine 4321" to 1, "300 4321" to 1, "theirs" to 100, "" to 100, "nobody" to 0)) {
            val times = (1..50).map { searchMillis(query, found) }.sorted()
            println("first page of '$query' among 10,000: median %.1f ms, at most %.1f".format(times[25], times.last()))
            assertTrue("$query: ${times[25]} ms", times[25] <= 50)
        }
    }

    /** As the book's screen asks: a command to the library, and its answer read. */
    private fun searchMillis(query: String, found: Int): Double {
        val began = System.nanoTime()
        val page = Books.of(app, account).askObject("contacts") { put("query", query).put("limit", 100) }
        val count = page.getJSONArray("contacts").length()
        return ((System.nanoTime() - began) / 1e6).also { assertEquals(query, found, count) }
    }

    @Test
    fun `without the permission, and when it is taken away`() {
        deny(*Permissions.CONTACTS.toTypedArray())
        many(2)
        other.sync()
        assertTrue(syncsWell().inserted == 0L)
        assertEquals(2, Books.of(app, account).askObject("contacts").getJSONArray("contacts").length())
        grant(*Permissions.CONTACTS.toTypedArray())
        assertEquals(2, syncsWell().inserted)
        deny(*Permissions.CONTACTS.toTypedArray())
        syncsWell()
        grant(*Permissions.CONTACTS.toTypedArray())
        syncsWell()
        other.sync()
        assertEquals(2, other.shown().size)
        assertEquals(2, book.raws(account).size)
    }

    @Test
    fun `two accounts on one phone`() {
        Script(server).addUser("bob")
        val second = signIn("bob")
        book.save(account, "Ann Lee", "(415) 555-2671")
        syncsWell()
        assertTrue(Sync(app, second).run().wentWell)
        assertEquals(book.shown(account), book.shown(second))
        // What one account has written, the other does not take for a new contact.
        other.sync()
        assertEquals(1, other.shown().size)
    }

    @Test
    fun `an account that was renamed has its contacts again`() {
        many(3)
        other.sync()
        syncsWell()
        val manager = AccountManager.get(app)
        val renamed = Account("ann, at work", account.type)
        val data = listOf("key", "server", "user").associateWith { manager.getUserData(account, it) }
        manager.removeAccountExplicitly(account)
        manager.addAccountExplicitly(renamed, null, null)
        data.forEach { (name, value) -> manager.setUserData(renamed, name, value) }
        ContentResolver.setSyncAutomatically(renamed, AUTHORITY, true)
        // Android takes the contacts of the old name, and tells nobody.
        book.lose(account)
        assertTrue(Sync(app, renamed).run().wentWell)
        assertEquals(3, book.raws(renamed).size)
        other.sync()
        assertEquals(3, other.shown().size)
    }

    @Test
    fun `thousands of contacts deleted by another app at once`() {
        many(3_000)
        other.sync()
        syncsWell()
        assertEquals(3_000, book.deleteAll(account))
        // A push has 500 at most, less than a quarter of the book. All are asked about before the first goes.
        assertEquals(3_000, sync().unconfirmedDeletes)
        Answers.answer(app, account, "drop_deletes")
        assertEquals(0, syncsWell().unconfirmedDeletes)
        assertEquals(3_000, book.raws(account).size)
    }

    @Test
    fun `the phone's storage is full`() {
        many(3)
        other.sync()
        contacts.beforeOperation = { _, _ -> throw SQLiteFullException("database or disk is full") }
        assertTrue(sync().phoneTrouble)
        assertEquals("phone_trouble", sync().also { Afterwards.of(app, account, it) }.let { Notes.of(app, account).failure })
        contacts.beforeOperation = { _, _ -> }
        syncsWell()
        assertEquals(3, book.raws(account).size)
    }

    @Test
    fun `before its user has chosen, Android's own syncs read nothing`() {
        Notes.of(app, account).hasChosen = false
        book.save(account, "Ann Lee", "(415) 555-2671")
        perform()
        assertEquals(0, Books.of(app, account).askObject("contacts").getJSONArray("contacts").length())
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `labels follow in both directions`() {
        val ann = book.save(account, "Ann Lee", "(415) 555-2671")
        book.put(ann, book.label(account, "Suppliers"))
        syncsWell()
        other.sync()
        fun labels() = other.contacts().single().getJSONArray("groups").let { all -> List(all.length(), all::getString) }
        assertEquals(listOf("Suppliers"), labels())
        val id = other.id("Ann Lee")
        val edit = JSONObject("""{"add":{"groups":["VIP"]},"remove":{"groups":["Suppliers"]}}""")
        other.ask("edit") { put("id", id).put("edit", edit) }
        other.sync()
        syncsWell()
        assertEquals(1, book.labels(account)["VIP"])
        assertEquals(0, book.labels(account)["Suppliers"] ?: 0)
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `a duplicate comes back with its photo`() {
        other.create("Ann Lee", "(415) 555-2671")
        other.sync()
        val photo = ByteArray(1_000) { (it * 7).toByte() }
        book.photo(book.save(account, "Ann L.", "+1 415 555 2671"), photo)
        syncsWell()
        assertEquals(0, book.photos(account).size)
        val duplicate = Books.of(app, account).askList("duplicates").single()
        Books.of(app, account).ask("undo_duplicate") { put("id", duplicate.getString("id")) }
        syncsWell()
        assertArrayEquals(photo, book.photos(account).single())
    }
}
