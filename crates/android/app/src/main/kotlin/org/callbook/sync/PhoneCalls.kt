package org.callbook.sync

import android.content.ContentResolver
import android.content.Context
import android.database.Cursor
import android.provider.CallLog.Calls
import android.telecom.TelecomManager
import java.util.TimeZone
import org.json.JSONArray
import org.json.JSONObject

/** The phone's log of calls as the library asks for it. Nothing is ever written there. */
class PhoneCalls(private val resolver: ContentResolver) {
    /** Whether the log could not be read. */
    var trouble = false
        private set

    var read = 0L
        private set

    fun answer(wanted: JSONObject): JSONArray = try {
        rows(wanted).also { read += it.length() }
    } catch (_: RuntimeException) {
        trouble = true
        JSONArray()
    }

    private fun rows(wanted: JSONObject): JSONArray {
        val uri = Calls.CONTENT_URI.buildUpon()
            .appendQueryParameter(Calls.LIMIT_PARAM_KEY, wanted.getInt("limit").toString()).build()
        val cursor = resolver.query(
            uri,
            COLUMNS,
            "(${Calls._ID} > ? OR ${Calls.DATE} >= ?) AND ${Calls._ID} > ?",
            arrayOf("seen", "since", "after").map { wanted.getLong(it).toString() }.toTypedArray(),
            Calls._ID,
        )
        val rows = JSONArray()
        if (cursor == null) trouble = true
        cursor?.use { while (it.moveToNext()) rows.put(row(it)) }
        return rows
    }

    private fun row(c: Cursor): JSONObject {
        fun number(column: Int): Any = if (c.isNull(column)) JSONObject.NULL else c.getLong(column)
        val offset = if (c.isNull(3)) 0 else TimeZone.getDefault().getOffset(c.getLong(3)) / 60_000
        return JSONObject().put("id", c.getLong(0)).put("number", c.getString(1) ?: JSONObject.NULL)
            .put("presentation", number(2)).put("date", number(3)).put("duration", number(4))
            .put("type", number(5)).put("line", c.getString(6) ?: JSONObject.NULL).put("utc_offset", offset)
    }

    companion object {
        /** What the phone's lines are called, by their ids in the log: `sim-1` and so on. `null` where nobody may know. */
        fun lines(context: Context): JSONObject? = try {
            val accounts = context.getSystemService(TelecomManager::class.java)?.callCapablePhoneAccounts
            accounts?.let { JSONObject(it.withIndex().associate { (at, account) -> account.id to "sim-${at + 1}" }) }
        } catch (_: SecurityException) {
            null
        }

        private val COLUMNS = arrayOf(
            Calls._ID, Calls.NUMBER, Calls.NUMBER_PRESENTATION, Calls.DATE, Calls.DURATION, Calls.TYPE,
            Calls.PHONE_ACCOUNT_ID,
        )
    }
}
