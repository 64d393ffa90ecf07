package org.callbook

import java.nio.file.Files
import org.callbook.account.list
import org.callbook.account.objects
import org.callbook.engine.Phone
import org.callbook.engine.Server
import org.json.JSONArray
import org.json.JSONObject

/** A phone of somebody else in the team: the library by itself, without contacts of a phone. */
class OtherPhone(server: Server, user: String = "ann") : AutoCloseable {
    private val folder = Files.createTempDirectory("other")
    private val phone = Phone.open(
        JSONObject().put("store", "$folder/book.db").put("server", server.address).toString(),
    )

    init {
        ask("set_region") { put("region", "US") }
        ask("sign_in") {
            put("username", user).put("password", Server.PASSWORD).put("device", "other").put("platform", "jvm")
        }
        sync()
    }

    fun ask(command: String, more: JSONObject.() -> Unit = {}): Any =
        JSONObject(phone.call(JSONObject().put("do", command).apply(more).toString())).get("answer")

    fun sync(): JSONObject {
        var next = ask("begin") as JSONObject
        while (true) {
            next = when (next.getString("next")) {
                "step" -> ask("step")
                "calls" -> ask("step") { put("calls", JSONArray()) }
                else -> {
                    check(next.isNull("failure") && next.isNull("sign_in")) { "other phone: $next" }
                    return next
                }
            } as JSONObject
        }
    }

    fun create(name: String, vararg numbers: String): String = ask("create") { put("edit", edit(name, numbers)) } as String

    private fun edit(name: String, numbers: Array<out String>) = JSONObject()
        .put("set", JSONObject().put("name", name))
        .put("add", JSONObject().put("phones", JSONArray(numbers.map { JSONObject().put("number", it) })))

    fun edit(id: String, name: String, vararg numbers: String) = ask("edit") { put("id", id).put("edit", edit(name, numbers)) }

    /** All contacts, with their ids. */
    fun contacts(): List<JSONObject> {
        val all = ArrayList<JSONObject>()
        var after: String? = null
        do {
            val page = ask("contacts") { put("limit", 500).put("after", after) } as JSONObject
            all += page.getJSONArray("contacts").objects()
            after = page.optString("after").takeIf(String::isNotEmpty)
        } while (after != null)
        return all
    }

    /** `name: number, number`, sorted. */
    fun shown(): List<String> = contacts().map { contact ->
        "${contact.optString("name")}: ${contact.list("phones").joinToString { it.getString("number") }}"
    }.sorted()

    fun id(name: String): String = contacts().first { it.optString("name") == name }.getString("id")

    override fun close() {
        phone.close()
        folder.toFile().deleteRecursively()
    }
}
