package org.callbook.engine

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import org.json.JSONArray
import org.json.JSONObject
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test

class PhoneTest {
    companion object {
        private lateinit var server: Server

        @BeforeAll @JvmStatic
        fun start() {
            server = Server()
        }

        @AfterAll @JvmStatic
        fun stop() = server.close()
    }

    /** A phone with its contacts, and the tokens that it was handed. */
    class Tester(private val address: String, private val folder: Path = Files.createTempDirectory("phone")) {
        val contacts = FakeContacts()
        var calls = JSONArray()
        var session: Any? = null
        var phone = open()

        fun open(extra: JSONObject.() -> Unit = {}): Phone {
            val config = JSONObject().put("store", "$folder/store.db").put("server", address)
            session?.let { config.put("session", it) }
            config.extra()
            return Phone.open(config.toString()).also { phone = it }
        }

        fun call(what: String, more: JSONObject.() -> Unit = {}): Any? {
            val envelope = JSONObject(phone.call(JSONObject().put("do", what).apply(more).toString()))
            if (envelope.has("session")) session = envelope.get("session")
            return envelope.get("answer")
        }

        fun signIn(password: String = Server.PASSWORD) {
            call("set_region") { put("region", "US") }
            call("set_settings") { put("settings", JSONObject().put("account", FakeContacts.ACCOUNT)) }
            call("sign_in") {
                put("username", "ann").put("password", password).put("device", "phone").put("platform", "jvm")
            }
        }

        /** A sync to its end; how it ended. */
        fun sync(): JSONObject {
            var next = call("begin") as JSONObject
            while (true) {
                next = when (next.getString("next")) {
                    "phone" -> call("step") { put("phone", contacts.given(next)) }
                    "calls" -> {
                        val after = next.getLong("after")
                        val rows = calls.map { it as JSONObject }.filter { it.getLong("id") > after }
                        call("step") { put("calls", JSONArray(rows.take(next.getInt("limit")))) }
                    }
                    "step" -> call("step")
                    else -> return next
                } as JSONObject
            }
        }
    }

    private fun code(work: () -> Unit): String = assertThrows(CallbookException::class.java, work).code

    @Test
    fun `two phones follow one book`() = Server().use { server ->
        val (one, two) = List(2) { Tester(server.address).apply { signIn() } }
        one.contacts.save("Ann Lee", "(415) 555-2671")
        val bob = one.contacts.save("Bob Ray", "415-555-0199")
        one.calls.put(JSONObject("""{"id":1,"number":"4155552671","date":1795341600000,"duration":5,"type":1}"""))
        one.sync()
        two.contacts.save("Ann L.", "+1 415 555 2671")
        val ended = two.sync()
        assertFalse(ended.isNull("wake_at"))
        // The oldest entry of a number wins, on the phone that came later too.
        assertEquals(listOf("Ann Lee: (415) 555-2671", "Bob Ray: 415-555-0199"), two.contacts.shown())
        assertEquals(1, (two.call("duplicates") as JSONArray).length())
        one.contacts.delete(bob)
        one.sync()
        two.sync()
        assertEquals(listOf("Ann Lee: (415) 555-2671"), two.contacts.shown())
        assertEquals(two.contacts.shown(), one.contacts.shown())
        // A quiet sync writes nothing into the phone's contacts.
        val batches = two.contacts.batches
        two.sync()
        assertEquals(batches, two.contacts.batches)
        // What was kept lets in again, without a password.
        one.phone.close()
        one.open()
        one.contacts.save("Cy Dot", "415-555-0123")
        assertTrue(one.sync().isNull("sign_in"))
        two.sync()
        assertEquals(one.contacts.shown(), two.contacts.shown())
        val found = two.call("contacts") { put("query", "cy 5550123") } as JSONObject
        assertEquals(1, found.getJSONArray("contacts").length())
    }

    @Test
    fun `a wrong password, and no server`() {
        val phone = Tester(server.address).apply { signIn("not the password") }
        assertEquals("wrong_credentials", phone.sync().getString("sign_in"))
        val alone = Tester("http://127.0.0.1:1").apply { signIn() }
        alone.contacts.save("Ann Lee", "(415) 555-2671")
        assertEquals("offline", alone.sync().getString("failure"))
        assertEquals(listOf("Ann Lee: (415) 555-2671"), alone.contacts.shown())
    }

    @Test
    fun `cancelled from another thread`() {
        // A server that takes the connection and says nothing.
        java.net.ServerSocket(0).use { silent ->
            val phone = Tester("http://127.0.0.1:${silent.localPort}").apply { signIn() }
            thread { Thread.sleep(200); phone.phone.cancel() }
            val began = System.nanoTime()
            assertEquals("cancelled", code { phone.sync() })
            println("cancelled after ${(System.nanoTime() - began) / 1_000_000} ms, of which 200 were waited")
            assertEquals("out_of_step", code { phone.call("step") })
        }
    }

    @Test
    fun `signed out`() {
        val phone = Tester(server.address).apply { signIn() }
        phone.sync()
        phone.call("sign_out")
        assertEquals("signed_out", phone.sync().getString("sign_in"))
        assertEquals(JSONObject.NULL, phone.session)
    }

    @Test
    fun `closed twice, and used after that`() {
        val phone = Tester(server.address)
        phone.phone.close()
        phone.phone.close()
        phone.phone.cancel()
        assertEquals("closed", code { phone.call("status") })
        assertEquals("closed", code { Native.call(0, ByteArray(0)) })
        assertEquals("closed", code { Native.call(Long.MIN_VALUE, ByteArray(0)) })
    }

    @Test
    fun `eight threads at once`() {
        val phone = Tester(server.address)
        val pool = Executors.newFixedThreadPool(8)
        val (answers, closed) = List(2) { AtomicInteger() }
        repeat(8) { worker ->
            pool.submit {
                repeat(200) { n ->
                    if (worker == 0 && n == 150) phone.phone.close()
                    try {
                        phone.phone.call("""{"do":"status"}""")
                        answers.incrementAndGet()
                    } catch (e: CallbookException) {
                        assertEquals("closed", e.code)
                        closed.incrementAndGet()
                    }
                }
            }
        }
        pool.shutdown()
        assertTrue(pool.awaitTermination(60, TimeUnit.SECONDS))
        assertEquals(1_600, answers.get() + closed.get())
        assertTrue(closed.get() >= 50)
    }

    @Test
    fun `hostile bytes`() {
        val phone = Tester(server.address)
        val bad = listOf("", "{", "null", "[]", "{\"do\":\"nothing\"}", "{\"do\":\"step\",\"phone\":7}", "\u0000",
            "[".repeat(100_000), "{\"do\":\"sign_in\",\"password\":\"secret 4155552671\"}", "{\"do\":\"contact\",\"id\":\"x\"}")
        for (command in bad) {
            val thrown = assertThrows(CallbookException::class.java) { phone.phone.call(command) }
            assertEquals("bad_command", thrown.code, command)
            assertFalse(thrown.message!!.contains("4155552671"))
        }
        val bytes = ByteArray(64) { (it * 37).toByte() }
        val handle = Native.open(
            JSONObject().put("store", "${Files.createTempDirectory("phone")}/s.db").put("server", server.address)
                .toString().toByteArray(),
        )
        assertEquals("bad_command", code { Native.call(handle, bytes) })
        Native.close(handle)
        assertEquals("bad_command", code { Native.open(bytes) })
        assertEquals("not_https", code { Tester("http://book.example.org") })
        assertEquals("bad_address", code { Tester("no server") })
        val file = Files.createTempFile("not", "a store")
        Files.writeString(file, "this is a text and no database, ".repeat(50))
        val config = JSONObject().put("store", "$file").put("server", server.address)
        assertEquals("not_a_store", code { Phone.open(config.toString()) })
        assertTrue(Files.readString(file).startsWith("this is a text"))
        assertTrue(assertThrows(RuntimeException::class.java) { Native.call(1, nothing()) } !is CallbookException)
    }

    /** What Kotlin would not let through. */
    @Suppress("UNCHECKED_CAST")
    private fun <T> nothing(): T = null as T

    @Test
    fun `ten thousand contacts`() = Server().use { server ->
        val (one, two) = List(2) { Tester(server.address).apply { signIn() } }
        repeat(10_000) { one.contacts.save("Contact $it", "+1 415 ${"%07d".format(2_000_000 + it)}") }
        val seconds = listOf(one, two).map { phone ->
            val began = System.nanoTime()
            phone.sync()
            (System.nanoTime() - began) / 1e9
        }
        println("10,000 contacts pushed in %.2f s, pulled in %.2f s".format(seconds[0], seconds[1]))
        assertEquals(10_000, two.contacts.raws.size)
        assertTrue(one.contacts.shown() == two.contacts.shown())
    }

    @Test
    fun `what the bridge costs`() {
        val phone = Tester(server.address)
        fun time(times: Int, work: () -> Unit): Double {
            repeat(times) { work() }
            val began = System.nanoTime()
            repeat(times) { work() }
            return (System.nanoTime() - began) / 1e3 / times
        }
        val small = ByteArray(40)
        val large = ByteArray(1_500_000)
        println(
            "echo of 40 bytes %.2f µs, of 1.5 MB %.0f µs; a call that looks a contact up %.2f µs".format(
                time(20_000) { Native.echo(small) },
                time(50) { Native.echo(large) },
                time(5_000) { phone.phone.call("""{"do":"contact","id":"01930000-0000-7000-8000-000000000001"}""") },
            ),
        )
    }
}
