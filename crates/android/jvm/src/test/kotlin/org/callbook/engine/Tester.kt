package org.callbook.engine

import java.lang.management.ManagementFactory
import java.nio.file.Path
import org.json.JSONArray
import org.json.JSONObject

/** A phone with its contacts, and the tokens that it was handed. */
class Tester(private val address: String, private val folder: Path) : AutoCloseable {
    val contacts = FakeContacts()
    var calls = JSONArray()
    var session: Any? = null

    /** Nanoseconds that the contacts of the test took, and not the library. */
    var inContacts = 0L

    /** Calls into the library: nanoseconds, with what they waited for, and of which it computed; how many there were. */
    var inLibrary = 0L
    var computed = 0L
    var steps = 0
    private val clocks = ManagementFactory.getThreadMXBean()
    var phone = open()

    fun open(extra: JSONObject.() -> Unit = {}): Phone {
        val config = JSONObject().put("store", "$folder/store.db").put("server", address)
        session?.let { config.put("session", it) }
        config.extra()
        return Phone.open(config.toString()).also { phone = it }
    }

    override fun close() = phone.close()

    fun call(what: String, more: JSONObject.() -> Unit = {}): Any? {
        val command = JSONObject().put("do", what).apply(more).toString()
        val (began, cpu) = System.nanoTime() to clocks.currentThreadCpuTime
        val answer = phone.call(command)
        inLibrary += System.nanoTime() - began
        computed += clocks.currentThreadCpuTime - cpu
        steps++
        val envelope = JSONObject(answer)
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
    fun sync(onBegun: () -> Unit = {}): JSONObject {
        var next = call("begin") as JSONObject
        onBegun()
        while (true) {
            next = when (next.getString("next")) {
                "phone" -> {
                    val began = System.nanoTime()
                    val given = contacts.given(next)
                    inContacts += System.nanoTime() - began
                    call("step") { put("phone", given) }
                }
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
