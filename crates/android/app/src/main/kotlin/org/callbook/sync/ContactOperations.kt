package org.callbook.sync

import android.content.ContentProviderOperation
import android.content.ContentUris
import android.content.ContentValues
import android.net.Uri
import android.provider.BaseColumns
import android.provider.ContactsContract
import android.provider.ContactsContract.Data
import android.provider.ContactsContract.RawContacts
import org.json.JSONObject

/** What a sync adapter writes counts as nobody's change. */
internal fun Uri.ofSyncAdapter(): Uri =
    buildUpon().appendQueryParameter(ContactsContract.CALLER_IS_SYNCADAPTER, "true").build()

/** One operation of the library's, as Android's provider takes it. */
internal fun operation(op: JSONObject, mayYield: Boolean): ContentProviderOperation {
    fun raw() = ContentUris.withAppendedId(RawContacts.CONTENT_URI, op.getLong("raw")).ofSyncAdapter()
    fun row() = ContentUris.withAppendedId(Data.CONTENT_URI, op.getLong("row")).ofSyncAdapter()
    val builder = when (val kind = op.getString("op")) {
        // A query with a selection asserts the version. Values of its own would make Android compare texts.
        "expect" -> ContentProviderOperation.newAssertQuery(raw()).atVersion(op).withExpectedCount(1)
        "insert_raw" -> ContentProviderOperation.newInsert(RawContacts.CONTENT_URI.ofSyncAdapter())
            .withValue(RawContacts.ACCOUNT_NAME, op.getJSONObject("account").getString("name"))
            .withValue(RawContacts.ACCOUNT_TYPE, op.getJSONObject("account").getString("type"))
            .withValue(RawContacts.SOURCE_ID, op.getString("source_id"))
            .withValue(RawContacts.STARRED, op.flag("starred"))
        "insert_row" -> {
            val of = op.getJSONObject("of")
            val insert = ContentProviderOperation.newInsert(Data.CONTENT_URI.ofSyncAdapter())
                .withValues(values(op)).withValue(Data.MIMETYPE, op.getString("mimetype"))
            if (of.has("raw")) insert.withValue(Data.RAW_CONTACT_ID, of.getLong("raw"))
            else insert.withValueBackReference(Data.RAW_CONTACT_ID, of.getInt("operation"))
        }
        "update_row" -> ContentProviderOperation.newUpdate(row()).withValues(values(op))
        "delete_row" -> ContentProviderOperation.newDelete(row())
        "set_starred" -> ContentProviderOperation.newUpdate(raw()).withValue(RawContacts.STARRED, op.flag("starred"))
        "set_source_id" -> ContentProviderOperation.newUpdate(raw())
            .withValue(RawContacts.SOURCE_ID, op.getString("source_id"))
        "clear_dirty" -> ContentProviderOperation.newUpdate(raw()).atVersion(op).withValue(RawContacts.DIRTY, 0)
        "delete_raw" -> ContentProviderOperation.newDelete(raw()).atVersion(op)
        else -> error("the library wants $kind")
    }
    return builder.withYieldAllowed(mayYield).build()
}

private fun ContentProviderOperation.Builder.atVersion(op: JSONObject) = withSelection(
    "${BaseColumns._ID} = ? AND ${RawContacts.VERSION} = ?",
    arrayOf(op.getLong("raw").toString(), op.getLong("version").toString()),
)

private fun JSONObject.flag(name: String): Int = if (getBoolean(name)) 1 else 0

private fun values(op: JSONObject): ContentValues {
    val values = op.getJSONObject("values")
    return ContentValues().apply {
        for (column in values.keys()) if (values.isNull(column)) putNull(column) else put(column, values.getString(column))
    }
}
