package org.callbook

import android.accounts.Account
import android.content.ComponentName
import android.content.ContentResolver
import android.provider.CallLog
import android.telecom.PhoneAccount
import android.telecom.PhoneAccountHandle
import android.telecom.TelecomManager
import org.callbook.account.Books
import org.callbook.provider.FakeCallLog
import org.callbook.sync.CALLS_AUTHORITY
import org.callbook.sync.Permissions
import org.callbook.sync.Sync
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.annotation.Config

class CallsSyncTest : AppTest() {
    private lateinit var log: FakeCallLog
    private lateinit var account: Account
    private val now = System.currentTimeMillis()

    @Before
    fun phone() {
        log = Robolectric.buildContentProvider(FakeCallLog::class.java).create(CallLog.AUTHORITY).get()
        grant(*Permissions.CALLS.toTypedArray())
        account = signIn()
    }

    @After
    fun close() = log.shutdown()

    private fun syncsWell() = Sync(app, account).run().also { assertTrue(it.toString(), it.wentWell) }

    private fun atServer(): Int = Script(server).calls()

    @Test
    @Config(sdk = [26, 31, 34])
    fun `calls are pushed once though they are read twice`() {
        repeat(3) { log.call("415555010$it", now - 60_000 * it) }
        log.call(null, now - 1_000)
        syncsWell()
        assertEquals(4, atServer())
        syncsWell()
        assertEquals(4, atServer())
        // The log was cleared and counts its rows from the start.
        log.delete(CallLog.Calls.CONTENT_URI, null, null)
        log.call("4155550101", now - 60_000, id = 1)
        log.call("4155550177", now, id = 2)
        syncsWell()
        assertEquals(5, atServer())
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `calls say of which SIM they were`() {
        grant(Permissions.LINES)
        val telecom = app.getSystemService(TelecomManager::class.java)
        val phone = ComponentName("com.android.phone", "com.android.services.telephony.TelephonyConnectionService")
        for (id in listOf("8901", "8902")) {
            val sim = PhoneAccountHandle(phone, id)
            val can = PhoneAccount.CAPABILITY_CALL_PROVIDER
            telecom.registerPhoneAccount(PhoneAccount.builder(sim, id).setCapabilities(can).build())
            telecom.enablePhoneAccount(sim, true)
        }
        log.call("4155550101", now, line = "8902")
        log.call("4155550102", now - 1_000, line = "another app's")
        syncsWell()
        val lines = Script(server).lines()
        assertEquals(listOf("sim-2", null), lines)
    }

    @Test
    fun `more calls than are read at once`() {
        repeat(1_203) { log.call("4155550101", now - 1_000L * it) }
        syncsWell()
        assertEquals(1_203, atServer())
    }

    @Test
    fun `only numbers of the book, or none`() {
        val book = Books.of(app, account)
        book.ask("create") {
            put("edit", org.json.JSONObject("""{"set":{"name":"Ann"},"add":{"phones":[{"number":"(415) 555-2671"}]}}"""))
        }
        fun choose(which: String) =
            book.ask("set_settings") { put("settings", book.askObject("settings").put("calls", which)) }
        log.call("+14155552671", now)
        log.call("4155550101", now - 5_000)
        choose("none")
        syncsWell()
        assertEquals(0, atServer())
        choose("in_book")
        syncsWell()
        assertEquals(1, atServer())
        choose("all")
        syncsWell()
        assertEquals(2, atServer())
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `switched off in Android's settings, and without the permission`() {
        log.call("4155550101", now)
        ContentResolver.setSyncAutomatically(account, CALLS_AUTHORITY, false)
        syncsWell()
        assertEquals(0, atServer())
        ContentResolver.setSyncAutomatically(account, CALLS_AUTHORITY, true)
        deny(*Permissions.CALLS.toTypedArray())
        syncsWell()
        assertEquals(0, atServer())
        grant(*Permissions.CALLS.toTypedArray())
        syncsWell()
        assertEquals(1, atServer())
    }
}
