package org.callbook.account

import android.accounts.Account
import android.content.Context
import android.content.SharedPreferences
import java.time.Instant

/**
 * What the app notes of an account beside the library: how the last syncs went, and what only Android knows to do. Of
 * what was synced, nothing.
 */
class Notes private constructor(private val store: SharedPreferences) {
    /** The end of the last sync that went well. */
    var lastSync: Instant? by instant("last_sync")

    /** Since when none has. */
    var failingSince: Instant? by instant("failing_since")

    /** Why the last did not: the code of an [org.callbook.sync.Outcome]. */
    var failure: String? by text("failure")

    /** Why somebody must sign in. */
    var signIn: String? by text("sign_in")

    /**
     * Whether the account's file was made anew in the place of a damaged one. How far its changes were counted nobody
     * knows then: it signs in as another device.
     */
    var isMadeAnew: Boolean
        get() = store.getBoolean("made_anew", false)
        set(value) = store.edit().putBoolean("made_anew", value).apply()

    /** When the library wants to sync again. */
    var wakeAt: Instant? by instant("wake_at")

    /** Contacts of the phone that Android could not hand over. */
    var unreadable: Int
        get() = store.getInt("unreadable", 0)
        set(value) = store.edit().putInt("unreadable", value).apply()

    /** Whether it syncs by itself only where nobody pays for the network. */
    var wifiOnly: Boolean
        get() = store.getBoolean("wifi_only", false)
        set(value) = store.edit().putBoolean("wifi_only", value).apply()

    /** Whether the user has answered that syncs may run while the phone sleeps, one way or the other. */
    var batteryAnswered: Boolean
        get() = store.getBoolean("battery_answered", false)
        set(value) = store.edit().putBoolean("battery_answered", value).apply()

    /** Whether the user has said what of this phone the book gets. Until then nothing is synced. */
    var hasChosen: Boolean
        get() = store.getBoolean("has_chosen", false)
        set(value) = store.edit().putBoolean("has_chosen", value).apply()

    /** Permissions that were there at the last sync: what is taken away is missed. */
    var permitted: Set<String>
        get() = store.getStringSet("permitted", emptySet()).orEmpty()
        set(value) = store.edit().putStringSet("permitted", value).apply()

    /** Who has saved the first version of a contact that the server still has, and when. */
    class Origin(val by: String, val at: String)

    /** Of a contact that has removed duplicates here, as the server has told once. */
    fun origin(contact: String): Origin? =
        store.getString(ORIGIN + contact, null)?.let { Origin(it.substringAfter(' '), it.substringBefore(' ')) }

    fun putOrigin(contact: String, origin: Origin) =
        store.edit().putString(ORIGIN + contact, "${origin.at} ${origin.by}").apply()

    /** Those of other contacts are wanted no more. */
    fun keepOrigins(contacts: Set<String>) {
        val old = store.all.keys.filter { it.startsWith(ORIGIN) && it.removePrefix(ORIGIN) !in contacts }
        if (old.isNotEmpty()) store.edit().apply { old.forEach(::remove) }.apply()
    }

    private fun text(name: String) = Value(name) { it }

    private fun instant(name: String) = Value(name, Instant::parse)

    private inner class Value<T>(private val name: String, private val read: (String) -> T) {
        operator fun getValue(of: Any?, property: Any?): T? = store.getString(name, null)?.let(read)

        operator fun setValue(of: Any?, property: Any?, value: T?) =
            store.edit().putString(name, value?.toString()).apply()
    }

    companion object {
        private const val ORIGIN = "origin-"

        fun of(context: Context, account: Account): Notes = ofKey(context, Accounts.key(context, account).orEmpty())

        private fun ofKey(context: Context, key: String) =
            Notes(context.getSharedPreferences("notes-$key", Context.MODE_PRIVATE))

        fun erase(context: Context, key: String) {
            context.deleteSharedPreferences("notes-$key")
        }
    }
}
