package org.callbook

import java.io.Closeable
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.URI
import java.util.Collections
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

/**
 * A network between a phone and its server, which may fall silent: connections are taken, and nothing comes back. It may
 * also say what the phone says in other words, of the same length.
 */
class Relay(server: String, private val inOtherWords: (String) -> String = { it }) : Closeable {
    private val port = URI(server).port
    private val door = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val sockets = Collections.synchronizedList(ArrayList<Socket>())
    val address = "http://127.0.0.1:${door.localPort}"

    @Volatile
    var isSilent = false
        set(value) {
            field = value
            // Connections that were kept are not.
            sockets.toList().forEach { it.close() }
        }

    private val silenced = AtomicInteger()
    private val changed = AtomicInteger()

    /** How often something was said in other words. */
    val rewritten: Int get() = changed.get()

    /** How many requests have waited for an answer. */
    val waits: Int get() = silenced.get()

    init {
        daemon {
            while (!door.isClosed) {
                val phone = door.accept()
                sockets += phone
                daemon { if (isSilent) wait(phone) else relay(phone) }
            }
        }
    }

    private fun daemon(work: () -> Unit) = thread(isDaemon = true) { runCatching(work) }

    private fun wait(phone: Socket) {
        phone.getInputStream().read()
        silenced.incrementAndGet()
        while (phone.getInputStream().read() >= 0) Unit
    }

    private fun relay(phone: Socket) {
        val server = Socket(InetAddress.getLoopbackAddress(), port).also { sockets += it }
        daemon { server.getInputStream().copyTo(phone.getOutputStream()) }
        val bytes = ByteArray(64 * 1024)
        while (true) {
            val count = phone.getInputStream().read(bytes)
            if (count < 0) break
            // One character a byte: what is no text comes out as it went in.
            val said = String(bytes, 0, count, Charsets.ISO_8859_1)
            val told = inOtherWords(said)
            check(told.length == said.length)
            if (told != said) changed.incrementAndGet()
            server.getOutputStream().write(told.toByteArray(Charsets.ISO_8859_1))
        }
        server.close()
    }

    override fun close() {
        door.close()
        sockets.toList().forEach { it.close() }
    }
}
