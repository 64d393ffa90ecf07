package org.callbook.account

import android.accounts.Account
import android.content.Context
import java.io.IOException
import java.net.HttpURLConnection
import java.net.URL
import java.net.URLEncoder
import org.callbook.sync.Sync
import org.json.JSONException
import org.json.JSONObject

/**
 * What people ask the server directly, beside the library: section 8 of docs/protocol.md, and a team's users and
 * devices. Nothing of sync goes this way. A session is refreshed by the library alone: a second one who did so would
 * end it.
 */
class Api(private val context: Context, private val account: Account) {
    /** @property code a problem's stable code, or `offline`, `signed_out`, `broken_answer`. */
    class Refused(val code: String) : Exception(code)

    fun get(path: String, query: Map<String, String?> = emptyMap()): JSONObject = ask("GET", path + text(query), null)

    fun post(path: String, body: JSONObject): JSONObject = ask("POST", path, body)

    fun put(path: String, body: JSONObject): JSONObject = ask("PUT", path, body)

    fun patch(path: String, body: JSONObject): JSONObject = ask("PATCH", path, body)

    fun delete(path: String): JSONObject = ask("DELETE", path, null)

    private fun text(query: Map<String, String?>): String = query.entries
        .mapNotNull { (name, value) -> value?.takeIf(String::isNotEmpty)?.let { "$name=${URLEncoder.encode(it, "UTF-8")}" } }
        .joinToString("&").let { if (it.isEmpty()) "" else "?$it" }

    private fun ask(method: String, path: String, body: JSONObject?): JSONObject {
        val book = Books.of(context, account)
        val first = book.accessToken()?.let { exchange(book, method, path, body, it) }
        val answer = if (first == null || first.status == 401) {
            // A sync refreshes the session, if it lives.
            Sync(context, account).run()
            val token = book.accessToken() ?: throw Refused("signed_out")
            exchange(book, method, path, body, token)
        } else {
            first
        }
        if (answer.status !in 200..299) throw Refused(answer.body.text("code") ?: "broken_answer")
        return answer.body
    }

    private class Answer(val status: Int, val body: JSONObject)

    private fun exchange(book: Book, method: String, path: String, body: JSONObject?, token: String): Answer = try {
        val connection = URL(address(book.server) + path).openConnection() as HttpURLConnection
        connection.connectTimeout = CONNECT_MILLIS
        connection.readTimeout = SILENCE_MILLIS
        connection.instanceFollowRedirects = false
        setMethod(connection, method)
        connection.setRequestProperty("Accept", "application/json")
        connection.setRequestProperty("Authorization", "Bearer $token")
        body?.let {
            connection.doOutput = true
            connection.setRequestProperty("Content-Type", "application/json")
            connection.outputStream.use { out -> out.write(it.toString().toByteArray()) }
        }
        val status = connection.responseCode
        val bytes = (if (status < 400) connection.inputStream else connection.errorStream)?.use { it.readBytes() }
        val text = bytes?.toString(Charsets.UTF_8).orEmpty()
        Answer(status, if (text.isBlank()) JSONObject() else JSONObject(text))
    } catch (_: IOException) {
        throw Refused("offline")
    } catch (_: JSONException) {
        throw Refused("broken_answer")
    }

    private fun address(server: String): String = (if ("://" in server) server else "https://$server").trimEnd('/')

    internal companion object {
        private const val CONNECT_MILLIS = 10_000
        private const val SILENCE_MILLIS = 30_000

        /** Android's client knows PATCH; a plain JVM's, on which tests run, does not. */
        var setMethod: (HttpURLConnection, String) -> Unit = HttpURLConnection::setRequestMethod
    }
}
