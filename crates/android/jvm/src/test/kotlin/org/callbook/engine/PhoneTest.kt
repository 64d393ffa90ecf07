package org.callbook.engine

import com.sun.net.httpserver.HttpServer
import java.lang.management.ManagementFactory
import java.net.InetSocketAddress
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import org.json.JSONArray
import org.json.JSONObject
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

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

    @TempDir
    private lateinit var temp: Path
    private val testers = mutableListOf<Tester>()

    private fun tester(address: String = server.address) =
        Tester(address, Files.createTempDirectory(temp, "phone")).also(testers::add)

    @AfterEach
    fun closeAll() = testers.forEach(Tester::close)

    private fun code(work: () -> Unit): String = assertThrows(CallbookException::class.java, work).code

    @Test
    fun `two phones follow one book`() = Server().use { server ->
        val (one, two) = List(2) { tester(server.address).apply { signIn() } }
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
    fun `what a phone does not take is told`() = Server().use { server ->
        val (one, two) = List(2) { tester(server.address).apply { signIn() } }
        one.contacts.save("Ann Lee", "(415) 555-2671")
        one.contacts.save("Bob Ray", "415-555-0199")
        one.sync()
        two.contacts.refuses = "Bob Ray"
        two.sync()
        assertEquals(listOf("Ann Lee: (415) 555-2671"), two.contacts.shown())
        val id = (two.call("not_taken") as JSONArray).single()
        assertEquals("Bob Ray", (two.call("contact") { put("id", id) } as JSONObject).getString("name"))
        two.contacts.refuses = null
        two.sync()
        assertEquals(0, (two.call("not_taken") as JSONArray).length())
        assertEquals(one.contacts.shown(), two.contacts.shown())
    }

    @Test
    fun `a wrong password, and no server`() {
        val phone = tester().apply { signIn("not the password") }
        assertEquals("wrong_credentials", phone.sync().getString("sign_in"))
        val alone = tester("http://127.0.0.1:1").apply { signIn() }
        alone.contacts.save("Ann Lee", "(415) 555-2671")
        assertEquals("offline", alone.sync().getString("failure"))
        assertEquals(listOf("Ann Lee: (415) 555-2671"), alone.contacts.shown())
    }

    @Test
    fun `cancelled from another thread`() {
        // A server that takes the connection and says nothing.
        java.net.ServerSocket(0).use { silent ->
            val phone = tester("http://127.0.0.1:${silent.localPort}").apply { signIn() }
            val late = List(5) {
                var cancelled = 0L
                val other = thread { Thread.sleep(200); cancelled = System.nanoTime(); phone.phone.cancel() }
                assertEquals("cancelled", code { phone.sync() })
                val ended = System.nanoTime()
                other.join()
                (ended - cancelled) / 1_000_000
            }
            println("cancelled $late ms before the sync ended")
            // Not each: other programs have the machine too.
            assertTrue(late.min() < 100, "$late")
            assertEquals("out_of_step", code { phone.call("step") })
        }
    }

    @Test
    fun `cancelled while it computes`() = Server().use { server ->
        val (one, two) = List(2) { tester(server.address).apply { signIn() } }
        repeat(3_000) { one.contacts.save("Contact $it", "+1 415 ${"%07d".format(2_000_000 + it)}") }
        val clocks = ManagementFactory.getThreadMXBean()
        val here = Thread.currentThread().id
        for (phone in listOf(one, two)) {
            val late = mutableListOf<Long>()
            var pause = 1L
            while (true) {
                var (computed, inContacts) = 0L to 0L
                var other: Thread? = null
                val ended = runCatching {
                    phone.sync {
                        other = thread {
                            Thread.sleep(pause)
                            inContacts = phone.inContacts
                            computed = clocks.getThreadCpuTime(here)
                            phone.phone.cancel()
                        }
                    }
                }
                val now = clocks.currentThreadCpuTime
                other!!.join()
                if (ended.isSuccess) break
                assertEquals("cancelled", (ended.exceptionOrNull() as CallbookException).code)
                // Not the time that passed: other programs have the machine too.
                late += (now - computed - (phone.inContacts - inContacts)) / 1_000_000
                pause = pause * 5 / 4 + 1
            }
            println("cancelled ${late.size} times, each time within ${late.max()} ms of computing")
            assertTrue(late.size > 3, "$late")
            assertTrue(late.max() < 100, "$late")
        }
        two.sync()
        assertEquals(3_000, two.contacts.raws.size)
        assertTrue(one.contacts.shown() == two.contacts.shown())
    }

    @Test
    fun `a server that asks to wait`() {
        val asked = mutableListOf<String>()
        var later = Triple(503, "busy", "4000")
        val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0)
        server.createContext("/") { exchange ->
            asked += exchange.requestURI.path
            val (status, code, seconds) = later
            val isLogin = exchange.requestURI.path == "/login"
            val body = if (isLogin) session() else """{"code":"$code"}"""
            exchange.responseHeaders.add("Content-Type", "application/json")
            if (!isLogin && seconds.isNotEmpty()) exchange.responseHeaders.add("Retry-After", seconds)
            exchange.sendResponseHeaders(if (isLogin) 200 else status, body.length.toLong())
            exchange.responseBody.use { it.write(body.toByteArray()) }
        }
        server.start()
        try {
            val phone = tester("http://127.0.0.1:${server.address.port}").apply { signIn() }
            phone.call("create") { put("edit", JSONObject("""{"set":{"name":"Ann Lee"}}""")) }
            fun waits() = assertThrows(CallbookException::class.java) { phone.sync() }.also { assertEquals("try_later", it.code) }
            assertTrue(waits().retryAfter!! in 3_990L..4_000L)
            // And asks no more, though there is something to say.
            assertEquals(listOf("/login", "/sync/contacts"), asked)
            later = Triple(429, "too_many_requests", "90")
            assertTrue(waits().retryAfter!! in 85L..90L)
            // Its own waiting, when the server does not say for how long.
            later = Triple(500, "internal_error", "")
            assertTrue(waits().retryAfter!! in 1L..60L)
            assertEquals(1, (phone.call("status") as JSONObject).getInt("unpushed"))
            assertEquals(null, assertThrows(CallbookException::class.java) { phone.call("step") }.retryAfter)
        } finally {
            server.stop(0)
        }
    }

    private fun session(): String {
        val (id, at) = "01930000-0000-7000-8000-000000000001" to "2026-11-22T10:00:00.000Z"
        return """{"access_token":"access","token_type":"Bearer","expires_in":900,"refresh_token":"refresh",
            "user":{"id":"$id","username":"ann","role":"admin","disabled":false,"created_at":"$at"},
            "device":{"id":"$id","user":"$id","name":"phone","platform":"jvm","created_at":"$at",
                "last_seen_at":null,"acked_seq":0,"ended_at":null}}"""
    }

    @Test
    fun `signed out`() {
        val phone = tester().apply { signIn() }
        phone.sync()
        phone.call("sign_out")
        assertEquals("signed_out", phone.sync().getString("sign_in"))
        assertEquals(JSONObject.NULL, phone.session)
    }

    @Test
    fun `closed twice, and used after that`() {
        val phone = tester()
        phone.phone.close()
        phone.phone.close()
        phone.phone.cancel()
        assertEquals("closed", code { phone.call("status") })
        assertEquals("closed", code { Native.call(0, ByteArray(0)) })
        assertEquals("closed", code { Native.call(Long.MIN_VALUE, ByteArray(0)) })
    }

    @Test
    fun `eight threads at once`() {
        val phone = tester()
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
        val phone = tester()
        val bad = listOf("", "{", "null", "[]", "{\"do\":\"nothing\"}", "{\"do\":\"step\",\"phone\":7}", "\u0000",
            "[".repeat(100_000), "{\"do\":\"sign_in\",\"password\":\"secret 4155552671\"}", "{\"do\":\"contact\",\"id\":\"x\"}")
        for (command in bad) {
            val thrown = assertThrows(CallbookException::class.java) { phone.phone.call(command) }
            assertEquals("bad_command", thrown.code, command)
            assertFalse(thrown.message!!.contains("4155552671"))
        }
        val bytes = ByteArray(64) { (it * 37).toByte() }
        val handle = Native.open(
            JSONObject().put("store", "$temp/s.db").put("server", server.address)
                .toString().toByteArray(),
        )
        assertEquals("bad_command", code { Native.call(handle, bytes) })
        Native.close(handle)
        assertEquals("bad_command", code { Native.open(bytes) })
        assertEquals("not_https", code { tester("http://book.example.org") })
        assertEquals("bad_address", code { tester("no server") })
        val file = temp.resolve("not-a-store.db")
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
    fun `the log has levels, and any number is one`() =
        listOf(4, Int.MAX_VALUE, 1, -1, Int.MIN_VALUE, 0).forEach(Phone::log)

    @Test
    fun `ten thousand contacts`() = Server().use { server ->
        val (one, two) = List(2) { tester(server.address).apply { signIn() } }
        repeat(10_000) { one.contacts.save("Contact $it", "+1 415 ${"%07d".format(2_000_000 + it)}") }
        one.sync()
        two.sync()
        assertEquals(10_000, two.contacts.raws.size)
        assertTrue(one.contacts.shown() == two.contacts.shown())
    }
}
