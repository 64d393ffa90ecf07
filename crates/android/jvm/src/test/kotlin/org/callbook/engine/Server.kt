package org.callbook.engine

import java.net.ServerSocket
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.nio.file.Files
import java.util.concurrent.TimeUnit
import org.json.JSONObject

/** The native server, on a new database, with one admin. */
class Server : AutoCloseable {
    private val folder = Files.createTempDirectory("callbook")
    private val port = ServerSocket(0).use { it.localPort }
    val address = "http://127.0.0.1:$port"
    private val process: Process
    private val http = HttpClient.newHttpClient()

    init {
        val command = listOf(
            System.getProperty("callbook.serve"), "--listen", "127.0.0.1:$port",
            "--db", "$folder/book.db", "--log", "error",
        )
        val builder = ProcessBuilder(command).redirectErrorStream(true)
        builder.redirectOutput(folder.resolve("log").toFile())
        builder.environment()["SETUP_TOKEN"] = "a token of tests"
        builder.environment()["JWT_SECRET"] = "0123456789abcdef".repeat(4)
        process = builder.start()
        val setUp = JSONObject()
            .put("setup_token", "a token of tests").put("username", "ann").put("password", PASSWORD)
        repeat(200) {
            check(process.isAlive) { Files.readString(folder.resolve("log")) }
            val status = runCatching { post("/setup", setUp) }.getOrNull()
            if (status == 201) return@repeat
            if (status != null && status != 409) error("setup: $status")
            if (status == null) Thread.sleep(50)
        }
    }

    private fun post(path: String, body: JSONObject): Int {
        val request = HttpRequest.newBuilder(URI(address + path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body.toString())).build()
        return http.send(request, BodyHandlers.discarding()).statusCode()
    }

    override fun close() {
        process.destroy()
        if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly()
        folder.toFile().deleteRecursively()
    }

    companion object {
        const val PASSWORD = "correct horse battery"
    }
}
