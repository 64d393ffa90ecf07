package org.callbook.ui

import android.app.AlertDialog
import android.app.DatePickerDialog
import android.content.Context
import android.text.format.DateUtils
import java.time.Instant
import java.time.LocalDate
import java.time.ZoneId
import org.callbook.R
import org.callbook.sync.withMillis

/** Days from one to another, both with it, where this phone is. */
data class Days(val from: LocalDate, val to: LocalDate) {
    private fun begin(day: LocalDate): Instant = day.atStartOfDay(ZoneId.systemDefault()).toInstant()

    /** As the protocol writes times: the first moment of these days, and the first after them. */
    fun bounds(): Pair<String, String> = begin(from).withMillis() to begin(to.plusDays(1)).withMillis()

    /** `Nov 20 – 26`. */
    fun words(context: Context): String = DateUtils.formatDateRange(
        context, begin(from).toEpochMilli(), begin(to.plusDays(1)).toEpochMilli(),
        DateUtils.FORMAT_SHOW_DATE or DateUtils.FORMAT_ABBREV_MONTH,
    )

    companion object {
        fun last(count: Int, today: LocalDate = LocalDate.now()) = Days(today.minusDays(count - 1L), today)

        /** Asks which; [then] with none for any day. */
        fun ask(context: Context, then: (Days?) -> Unit) {
            val choices = listOf<Pair<Int, () -> Unit>>(
                R.string.any_day to { then(null) },
                R.string.today to { then(last(1)) },
                R.string.last_week to { then(last(7)) },
                R.string.last_month to { then(last(30)) },
                R.string.choose_days to { choose(context, then) },
            )
            AlertDialog.Builder(context).setTitle(R.string.which_days)
                .setItems(choices.map { context.getString(it.first) }.toTypedArray()) { _, at -> choices[at].second() }
                .show()
        }

        private fun choose(context: Context, then: (Days?) -> Unit) {
            val today = LocalDate.now()
            pick(context, R.string.first_day, today) { first ->
                pick(context, R.string.last_day, maxOf(first, today)) { last ->
                    then(Days(minOf(first, last), maxOf(first, last)))
                }
            }
        }

        private fun pick(context: Context, title: Int, day: LocalDate, then: (LocalDate) -> Unit) {
            val dialog = DatePickerDialog(
                context,
                { _, year, month, ofMonth -> then(LocalDate.of(year, month + 1, ofMonth)) },
                day.year, day.monthValue - 1, day.dayOfMonth,
            )
            dialog.setTitle(title)
            dialog.show()
        }
    }
}
