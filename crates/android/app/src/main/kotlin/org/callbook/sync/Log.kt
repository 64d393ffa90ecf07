package org.callbook.sync

import android.content.Context
import java.io.File
import java.time.Instant

/**
 * What Android did to our syncs, for whoever asks why a phone is behind: a line each, the latest 500. The library has a
 * log of its own of what happened in them. Names and numbers must never be written here.
 */
object Log {
    private const val MOST_LINES = 500

    @Synchronized
    fun write(context: Context, what: String) {
        val file = file(context)
        val line = "${Instant.now().withMillis()} $what"
        try {
            file.appendText("$line\n")
            val lines = file.readLines()
            if (lines.size > 2 * MOST_LINES) file.writeText(lines.takeLast(MOST_LINES).joinToString("\n", postfix = "\n"))
        } catch (_: java.io.IOException) {
            // The disk is full: a log is the first to do without.
        }
    }

    @Synchronized
    fun lines(context: Context): List<String> = try {
        file(context).readLines().takeLast(MOST_LINES)
    } catch (_: java.io.IOException) {
        emptyList()
    }

    private fun file(context: Context) = File(context.noBackupFilesDir, "sync.log")
}
