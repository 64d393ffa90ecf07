package org.callbook.ui

import android.content.Context
import org.callbook.R

/** The user's words for the library's codes. What it says to programs must never be shown. */
object Words {
    /** Why signing in did not work, and what to do. */
    fun signInFailure(context: Context, code: String): String = when (code) {
        "wrong_credentials" -> context.getString(R.string.wrong_credentials)
        "try_later" -> context.getString(R.string.try_later)
        "not_callbook", "broken_answer" -> context.getString(R.string.not_callbook)
        "account_exists" -> context.getString(R.string.account_exists)
        "bad_address" -> context.getString(R.string.bad_address)
        "not_https" -> context.getString(R.string.not_https)
        "address_too_long" -> context.getString(R.string.address_too_long)
        else -> failure(context, code)
    }

    /** Why syncs do not work. */
    fun failure(context: Context, code: String): String = when (code) {
        "offline" -> context.getString(R.string.offline)
        "timed_out" -> context.getString(R.string.timed_out)
        "certificate" -> context.getString(R.string.certificate)
        "captive_portal" -> context.getString(R.string.captive_portal)
        "broken_answer" -> context.getString(R.string.broken_answer)
        "try_later" -> context.getString(R.string.asks_to_wait)
        "phone_trouble" -> context.getString(R.string.phone_trouble)
        "no_library" -> context.getString(R.string.no_library)
        "no_key_store" -> context.getString(R.string.no_key_store)
        "storage_full" -> context.getString(R.string.storage_full)
        "not_a_store", "store_damaged" -> context.getString(R.string.store_damaged)
        "store_newer" -> context.getString(R.string.store_newer)
        "store_read_only", "store_failed" -> context.getString(R.string.store_unwritable)
        else -> context.getString(R.string.failed_otherwise, code)
    }

    /** Why the server refuses what a person asks of it. */
    fun refused(context: Context, code: String): String = when (code) {
        "signed_out" -> context.getString(R.string.session_ended)
        "forbidden" -> context.getString(R.string.forbidden)
        "not_owner", "no_other_claimant" -> context.getString(R.string.nobody_else)
        "number_shared" -> context.getString(R.string.number_shared)
        "last_admin" -> context.getString(R.string.last_admin)
        "username_taken" -> context.getString(R.string.username_taken)
        "invalid_username" -> context.getString(R.string.username_invalid)
        "password_too_short", "invalid_password" -> context.getString(R.string.password_short)
        "not_found" -> context.getString(R.string.not_there)
        "busy", "database_unavailable", "database_behind", "internal_error" -> context.getString(R.string.server_busy)
        "offline", "broken_answer" -> failure(context, code)
        // A person has asked: nothing tries again by itself.
        else -> context.getString(R.string.refused_otherwise, code)
    }

    /** Why somebody must sign in again. */
    fun signIn(context: Context, reason: String): String = when (reason) {
        "wrong_credentials" -> context.getString(R.string.wrong_credentials)
        "copied" -> context.getString(R.string.session_copied)
        "made_anew" -> context.getString(R.string.session_made_anew)
        "signed_out" -> context.getString(R.string.session_signed_out)
        else -> context.getString(R.string.session_ended)
    }
}
