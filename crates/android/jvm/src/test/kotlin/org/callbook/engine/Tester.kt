package org.callbook.engine

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
    var phone = open()

    fun open(extra: JSONObject.() -> Unit = {}): Phone {
        val config = JSONObject().put("store", "$folder/store.db").put("server", address)
        session?.let { config.put("session", it) }
        config.extra()
        return Phone.open(config.toString()).also { phone = it }
    }

    override fun close() = phone.close()

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
