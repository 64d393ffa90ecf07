package org.callbook

import java.net.HttpURLConnection
import java.net.URL
import org.callbook.engine.Server
import org.callbook.account.objects
import org.callbook.account.text
import org.json.JSONObject
import org.robolectric.util.ReflectionHelpers

/** Asks the server as a script would. */
class Script(private val server: Server) {
    private fun ask(method: String, path: String, token: String?, body: JSONObject?): JSONObject {
        val connection = URL(server.address + path).openConnection() as HttpURLConnection
        setMethod(connection, method)
        token?.let { connection.setRequestProperty("Authorization", "Bearer $it") }
        body?.let {
            connection.doOutput = true
            connection.setRequestProperty("Content-Type", "application/json")
            connection.outputStream.use { out -> out.write(it.toString().toByteArray()) }
        }
        return JSONObject(connection.inputStream.use { it.readBytes().toString(Charsets.UTF_8) })
    }

    private fun token(user: String): String = ask("POST", "/login", null, JSONObject().put("username", user)
        .put("password", Server.PASSWORD).put("device", JSONObject().put("name", "script").put("platform", "jvm")))
        .getString("access_token")

    /** How many devices that live a user has, but for those that ask here. */
    fun devices(user: String): Int {
        val all = ask("GET", "/devices", token(user), null).getJSONArray("devices").objects()
        return all.count { it.isNull("ended_at") && it.getString("platform") != "jvm" }
    }

    /** How many calls the book has. */
    fun calls(): Int = ask("GET", "/stats", token("ann"), null).getInt("calls")

    /** The lines of all calls, the latest first. */
    fun lines(): List<String?> = ask("GET", "/calls", token("ann"), null).getJSONArray("calls").objects().map { it.text("line") }

    /** Makes a member with the password of all tests. */
    fun addUser(name: String, role: String = "member") {
        ask("POST", "/users", token("ann"),
            JSONObject().put("username", name).put("password", Server.PASSWORD).put("role", role))
    }

    /** Users by name, with whether they are disabled. */
    fun users(): Map<String, Boolean> =
        ask("GET", "/users", token("ann"), null).getJSONArray("users").objects()
            .associate { it.getString("username") to it.getBoolean("disabled") }

    /** From now on a user is let in nowhere. */
    fun disable(name: String) {
        val users = ask("GET", "/users", token("ann"), null).getJSONArray("users").objects()
        val id = users.single { it.getString("username") == name }.getString("id")
        ask("PATCH", "/users/$id", token("ann"), JSONObject().put("disabled", true))
    }

    companion object {
        /** A plain JVM's client knows no PATCH; Android's does. */
        fun setMethod(connection: HttpURLConnection, method: String) =
            ReflectionHelpers.setField(HttpURLConnection::class.java, connection, "method", method)
    }
}
