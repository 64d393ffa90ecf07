package org.callbook.sync

import android.content.ContentProviderOperation
import android.content.ContentUris
import android.content.ContentValues
import android.net.Uri
import android.provider.BaseColumns
import android.provider.ContactsContract
import android.provider.ContactsContract.Data
import android.provider.ContactsContract.Groups
import android.provider.ContactsContract.RawContacts
import android.util.Base64
import org.json.JSONObject

/** What a sync adapter writes counts as nobody's change. */
internal fun Uri.ofSyncAdapter(): Uri =
    buildUpon().appendQueryParameter(ContactsContract.CALLER_IS_SYNCADAPTER, "true").build()

/** One operation of the library's, as Android's provider takes it. */
internal fun operation(op: JSONObject, mayYield: Boolean): ContentProviderOperation {
    fun raw() = ContentUris.withAppendedId(RawContacts.CONTENT_URI, op.getLong("raw")).ofSyncAdapter()
    fun row() = ContentUris.withAppendedId(Data.CONTENT_URI, op.getLong("row")).ofSyncAdapter()
    fun group() = ContentUris.withAppendedId(Groups.CONTENT_URI, op.getLong("group")).ofSyncAdapter()
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
        "insert_group" -> ContentProviderOperation.newInsert(Groups.CONTENT_URI.ofSyncAdapter())
            .withValue(Groups.ACCOUNT_NAME, op.getJSONObject("account").getString("name"))
            .withValue(Groups.ACCOUNT_TYPE, op.getJSONObject("account").getString("type"))
            .withValue(Groups.TITLE, op.getString("title"))
            .withValue(Groups.SOURCE_ID, op.getString("title"))
            .withValue(Groups.GROUP_VISIBLE, 1)
        "set_group_source" -> ContentProviderOperation.newUpdate(group()).withValue(Groups.SOURCE_ID, op.getString("source_id"))
        "delete_group" -> ContentProviderOperation.newDelete(group())
        "clear_dirty" -> ContentProviderOperation.newUpdate(raw()).atVersion(op).withValue(RawContacts.DIRTY, 0)
        // Not at the address of the one: there Android's provider deletes without reading the selection.
        "delete_raw" -> ContentProviderOperation.newDelete(RawContacts.CONTENT_URI.ofSyncAdapter()).atVersion(op)
        else -> error("the library wants $kind")
    }
    return builder.withYieldAllowed(mayYield).build()
}

/** The one column that is no text: in base 64 where the library has it. */
internal const val BLOB = "data15"

private fun ContentProviderOperation.Builder.atVersion(op: JSONObject) = withSelection(
    "${BaseColumns._ID} = ? AND ${RawContacts.VERSION} = ?",
    arrayOf(op.getLong("raw").toString(), op.getLong("version").toString()),
)

private fun JSONObject.flag(name: String): Int = if (getBoolean(name)) 1 else 0

private fun values(op: JSONObject): ContentValues {
    val values = op.getJSONObject("values")
    return ContentValues().apply {
        for (column in values.keys()) when {
            values.isNull(column) -> putNull(column)
            column == BLOB -> put(column, Base64.decode(values.getString(column), Base64.DEFAULT))
            else -> put(column, values.getString(column))
        }
    }
}
