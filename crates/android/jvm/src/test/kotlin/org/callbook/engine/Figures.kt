package org.callbook.engine

import com.sun.management.OperatingSystemMXBean
import java.lang.management.ManagementFactory
import java.nio.file.Files
import java.nio.file.Path
import org.json.JSONArray
import org.json.JSONObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** How long things take and how much memory: what `test-jvm --release` shows. No figure of time fails a test. */
class Figures {
    @TempDir
    private lateinit var temp: Path

    @Test
    fun `ten thousand contacts`() = Server().use { server ->
        fun phone(name: String, contacts: Int) = Tester(server.address, Files.createDirectory(temp.resolve(name)))
            .apply { repeat(contacts) { this.contacts.save("Contact $name $it", number(it)) } }
        // What a JVM has to load and compile is not the library's.
        Server().use { other ->
            Tester(other.address, Files.createDirectory(temp.resolve("warm"))).use { phone ->
                repeat(2_000) { phone.contacts.save("Contact $it", number(it)) }
                phone.signIn()
                phone.sync()
            }
        }
        phone("one", 10_000).use { one ->
            phone("two", 0).use { two ->
                for ((what, phone) in listOf("that has all" to one, "that has none" to two)) {
                    phone.signIn()
                    measure("first sync of a phone $what of 10,000 contacts", phone) { phone.sync() }
                }
                measure("quiet sync", two) { two.sync() }
                one.contacts.raws.values.first().let { one.contacts.rename(it, "Renamed") }
                measure("one change told", one) { one.sync() }
                measure("one change heard", two) { two.sync() }
                assertEquals(10_000, two.contacts.raws.size)
                assertTrue(one.contacts.shown() == two.contacts.shown())
                for (query in listOf("", "contact one 99", "4152001", "nobody has this")) {
                    val times = (0 until 20).map { search(two, query).first }.sorted()
                    println("search for \"%s\": %d found, %.1f ms".format(query, search(two, query).second, times[10]))
                }
            }
        }
    }

    @Test
    fun `what the bridge costs`() = Server().use { server ->
        Tester(server.address, Files.createDirectory(temp.resolve("phone"))).use { tester ->
            fun time(times: Int, work: () -> Unit): Double {
                repeat(times) { work() }
                val rounds = (0 until 9).map {
                    val began = System.nanoTime()
                    repeat(times) { work() }
                    (System.nanoTime() - began) / 1e3 / times
                }
                return rounds.sorted()[4]
            }
            println("an empty call: %.3f µs".format(time(200_000) { Native.log(0) }))
            for (size in listOf(0, 1_000, 1_500_000)) {
                val bytes = ByteArray(size)
                val times = if (size > 100_000) 200 else 100_000
                val copies = time(times) { bytes.clone().clone() }
                println("%,d bytes there and back: %.3f µs, two copies of them in the JVM: %.3f µs"
                    .format(size, time(times) { Native.echo(bytes) }, copies))
            }
            val status = """{"do":"contact","id":"01930000-0000-7000-8000-000000000001"}"""
            println("a call that looks a contact up: %.2f µs".format(time(5_000) { tester.phone.call(status) }))
        }
    }

    private fun number(n: Int) = "+1 415 ${"%07d".format(2_000_000 + n)}"

    private fun search(phone: Tester, query: String): Pair<Double, Int> {
        val began = System.nanoTime()
        val found = phone.call("contacts") { put("query", query).put("limit", 20) } as JSONObject
        return (System.nanoTime() - began) / 1e6 to (found["contacts"] as JSONArray).length()
    }

    /** Tells what this process, not the server's, has computed: of a busy machine that says more than what passed. */
    private val system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean::class.java)

    /** Time and memory. The JVM's heap is touched from its start on, so what is more of memory is the library's. */
    private fun measure(what: String, phone: Tester, work: () -> Unit) {
        System.gc()
        Files.writeString(Path.of("/proc/self/clear_refs"), "5") // the peak begins anew
        val before = memory("VmRSS")
        phone.inContacts = 0
        phone.inLibrary = 0
        phone.computed = 0
        phone.steps = 0
        val (began, cpu) = System.nanoTime() to system.processCpuTime
        work()
        val seconds = (System.nanoTime() - began) / 1e9
        println("%s: %.3f s, of which %.3f in %d calls of the library (%.3f of CPU) and %.3f in the test's contacts; %.3f s of CPU; %.1f MB more memory at its peak".format(
            what, seconds, phone.inLibrary / 1e9, phone.steps, phone.computed / 1e9, phone.inContacts / 1e9, (system.processCpuTime - cpu) / 1e9, (memory("VmHWM") - before) / 1e3,
        ))
        assertTrue(memory("VmHWM") - before < 200_000, "memory")
    }

    /** In kB. */
    private fun memory(which: String): Long = Files.readAllLines(Path.of("/proc/self/status"))
        .first { it.startsWith("$which:") }.filter(Char::isDigit).toLong()
}
