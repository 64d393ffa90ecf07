package org.callbook.ui

import android.content.Context
import android.text.format.DateUtils
import org.callbook.R
import org.callbook.account.text
import org.json.JSONObject

/** Calls in the user's words. */
object CallWords {
    /** The icon and the word of a direction. */
    fun direction(direction: String): Pair<Int, Int> = when (direction) {
        "incoming" -> R.drawable.ic_call_in to R.string.call_incoming
        "outgoing" -> R.drawable.ic_call_out to R.string.call_outgoing
        "missed" -> R.drawable.ic_call_missed to R.string.call_missed
        "rejected" -> R.drawable.ic_call_missed to R.string.call_rejected
        "blocked" -> R.drawable.ic_call_missed to R.string.call_blocked
        "voicemail" -> R.drawable.ic_call_in to R.string.call_voicemail
        else -> R.drawable.ic_call_in to R.string.call_elsewhere
    }

    /** Who it was with, as the book knows them. */
    fun who(context: Context, call: JSONObject): String =
        call.optJSONObject("contact")?.text("name") ?: call.text("phone_number")?.ltr()
            ?: context.getString(R.string.number_withheld)

    /** `ann, 26 November 2026 14:05, 2:10`. */
    fun about(context: Context, call: JSONObject): String = listOfNotNull(
        call.text("username")?.isolated(),
        Times.day(context, call.getString("timestamp")),
        details(context, call),
    ).joinToString(", ")

    /** `14:05, 2:10, sim-1`. */
    fun details(context: Context, call: JSONObject): String = listOfNotNull(
        Times.clock(context, call.getString("timestamp")),
        call.getLong("duration").takeIf { it > 0 }?.let(DateUtils::formatElapsedTime),
        call.text("line"),
    ).joinToString(", ") { it.isolated() }
}
