package org.callbook.sync

import android.content.Context
import java.io.File
import java.time.Instant
import org.callbook.engine.Phone

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

    /** Whether the library writes down each request, and not only what fails. For all accounts. */
    fun isDetailed(context: Context): Boolean = choices(context).getBoolean(DETAILED, false)

    fun setDetailed(context: Context, isDetailed: Boolean) {
        choices(context).edit().putBoolean(DETAILED, isDetailed).apply()
        tellLibrary(context)
    }

    /** What the library tells is gone with the process; Android's own log has it too. */
    fun tellLibrary(context: Context) = try {
        Phone.log(if (isDetailed(context)) EACH_REQUEST else WHAT_FAILS)
    } catch (_: LinkageError) {
        // There is no library: whoever opens a book is told.
    }

    private fun choices(context: Context) = context.getSharedPreferences("log", Context.MODE_PRIVATE)

    private const val DETAILED = "detailed"
    private const val WHAT_FAILS = 2
    private const val EACH_REQUEST = 4

    private fun file(context: Context) = File(context.noBackupFilesDir, "sync.log")
}
