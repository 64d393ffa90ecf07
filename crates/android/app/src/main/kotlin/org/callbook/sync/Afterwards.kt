package org.callbook.sync

import android.accounts.Account
import android.content.Context
import java.time.Duration
import java.time.Instant
import org.callbook.account.Notes

/** What follows from how a sync ended: what the user is told, and when the next one is. */
object Afterwards {
    /** For so long nobody is bothered. */
    private val PATIENCE: Duration = Duration.ofDays(1)

    fun of(context: Context, account: Account, outcome: Outcome, now: Instant = Instant.now()) {
        val notes = Notes.of(context, account)
        if (!outcome.cancelled) note(notes, outcome, now)
        Log.write(context, "sync ended: ${words(outcome)}")
        Notifications.signIn(context, account, outcome.signIn)
        if (outcome.signIn == null) Notifications.manyDeletes(context, account, outcome.unconfirmedDeletes)
        val failing = notes.failingSince?.let { Duration.between(it, now) >= PATIENCE } ?: false
        Notifications.failing(context, account, notes.failure.takeIf { failing && outcome.signIn == null })
        missPermissions(context, account, notes)
        outcome.wakeAt?.let { Schedule.again(context, account, it, now) }
    }

    private fun note(notes: Notes, outcome: Outcome, now: Instant) {
        notes.signIn = outcome.signIn
        notes.failure = outcome.failure ?: if (outcome.phoneTrouble) "phone_trouble" else null
        notes.wakeAt = outcome.wakeAt
        notes.unreadable = outcome.unreadable
        if (outcome.wentWell) {
            notes.lastSync = now
            notes.failingSince = null
        } else if (notes.failingSince?.let { it > now } ?: true) {
            // Or the clock was ahead when it began: nobody would be told for years.
            notes.failingSince = now
        }
    }

    private fun words(outcome: Outcome): String = when {
        outcome.cancelled -> "cancelled"
        outcome.signIn != null -> "sign in (${outcome.signIn})"
        outcome.failure != null -> outcome.failure
        outcome.phoneTrouble -> "phone_trouble"
        else -> "well"
    } + ", written ${outcome.inserted} new, ${outcome.updated} changed, ${outcome.deleted} removed"

    /** A permission that was there at the last sync and is not any more. */
    private fun missPermissions(context: Context, account: Account, notes: Notes) {
        val wanted = Permissions.wanted(context, account)
        val missing = wanted.filterNot { Permissions.has(context, it) }.toSet()
        Notifications.permission(context, account, (notes.permitted intersect missing).isNotEmpty())
        notes.permitted = (notes.permitted + wanted.filter { Permissions.has(context, it) }) intersect wanted.toSet()
    }
}
