package org.callbook.ui

import android.content.Context
import android.text.format.DateUtils
import java.time.Duration
import java.time.Instant
import java.time.ZoneId
import java.util.Formatter
import org.callbook.R

/** Times in the user's words. */
object Times {
    /** `5 minutes ago`. */
    fun ago(context: Context, at: Instant): CharSequence {
        val now = Instant.now()
        // The phone's clock was ahead when it wrote this down.
        if (at > now.plusSeconds(60)) return day(context, at.toString())
        if (Duration.between(at, now).toMinutes() == 0L) return context.getString(R.string.just_now)
        return DateUtils.getRelativeTimeSpanString(at.toEpochMilli(), now.toEpochMilli(), DateUtils.MINUTE_IN_MILLIS)
    }

    /** `14:05`, of another day `Fri, 14:05`. */
    fun soon(context: Context, at: Instant, zone: ZoneId = ZoneId.systemDefault()): String {
        val isToday = at.atZone(zone).toLocalDate() == Instant.now().atZone(zone).toLocalDate()
        val day = if (isToday) 0 else DateUtils.FORMAT_SHOW_WEEKDAY or DateUtils.FORMAT_ABBREV_WEEKDAY
        return DateUtils.formatDateTime(context, at.toEpochMilli(), DateUtils.FORMAT_SHOW_TIME or day)
    }

    /** `26 November 2026`. */
    fun day(context: Context, at: String): String = DateUtils.formatDateTime(
        context, Instant.parse(at).toEpochMilli(), DateUtils.FORMAT_SHOW_DATE or DateUtils.FORMAT_SHOW_YEAR,
    )

    /** A time of any day, so many minutes after midnight. */
    fun ofDay(context: Context, minutes: Int): String {
        val millis = minutes * 60_000L
        return DateUtils.formatDateRange(
            context, Formatter(), millis, millis, DateUtils.FORMAT_SHOW_TIME, "UTC",
        ).toString()
    }

    /** `14:05`, or as the phone writes it. */
    fun clock(context: Context, at: String): String =
        DateUtils.formatDateTime(context, Instant.parse(at).toEpochMilli(), DateUtils.FORMAT_SHOW_TIME)
}

/** A part of a line that keeps its own direction: a name or a time among words of another. */
fun String.isolated(): String = "\u2068$this\u2069"

/** A number reads from left to right, also between words that do not. */
fun String.ltr(): String = "\u2066$this\u2069"
