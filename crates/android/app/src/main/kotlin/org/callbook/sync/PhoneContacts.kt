package org.callbook.sync

import android.content.ContentProviderClient
import android.content.ContentUris
import android.content.OperationApplicationException
import android.database.Cursor
import android.os.RemoteException
import android.os.TransactionTooLargeException
import android.provider.BaseColumns
import android.provider.ContactsContract
import android.provider.ContactsContract.CommonDataKinds.Photo
import android.provider.ContactsContract.Data
import android.provider.ContactsContract.DisplayPhoto
import android.provider.ContactsContract.Groups
import android.provider.ContactsContract.RawContacts
import android.util.Base64
import java.io.IOException
import org.callbook.account.Given
import org.callbook.account.objects
import org.json.JSONArray
import org.json.JSONObject

/**
 * The phone's contacts as the library asks for them: reads and writes through Android's provider, and decides nothing.
 * What cannot be had is refused, so that the rest of the sync goes on; [trouble] says so.
 */
class PhoneContacts(private val provider: ContentProviderClient, private val isStopped: () -> Boolean) {
    /** What has been written, for Android's own account of a sync. */
    var inserted = 0L
        private set
    var updated = 0L
        private set
    var deleted = 0L
        private set

    /** Whether something could not be read or written. */
    var trouble = false
        private set

    /** Raw contacts that Android itself cannot hand over: a note of megabytes. */
    val unreadable = sortedSetOf<Long>()

    fun answer(ask: JSONObject): JSONObject = try {
        when (val kind = ask.getString("ask")) {
            "heads" -> JSONObject().put("given", "heads")
                .put("heads", JSONArray(heads(null).values)).put("groups", groups())
            "rows" -> {
                val raws = ask.getJSONArray("raws")
                rows(List(raws.length(), raws::getLong), ask.optBoolean("whole"))
            }
            "apply" -> apply(ask)
            else -> error("the library asks for $kind")
        }
    } catch (_: TransactionTooLargeException) {
        Given.refused("too_large")
    } catch (e: Exception) {
        // Providers of makers throw whatever comes to them. A full disk and a null cursor are among it.
        if (e is InterruptedException) throw e
        trouble = trouble || e !is OperationApplicationException
        Given.refused()
    }

    private fun heads(raws: List<Long>?): Map<Long, JSONObject> {
        val where = raws?.let { "${BaseColumns._ID} IN (${it.joinToString()})" }
        return query(RawContacts.CONTENT_URI, HEAD_COLUMNS, where, null) { c ->
            // Each has a version. A provider that gives none gives nothing that may be believed.
            if (c.isNull(4)) throw RemoteException("a raw contact without a version")
            val id = c.getLong(0)
            val type = c.getString(2)
            val owner = type?.let { JSONObject().put("name", c.getString(1).orEmpty()).put("type", it) }
            id to JSONObject().put("raw", id).put("account", owner).put("source_id", c.getString(3))
                .put("version", c.getLong(4)).put("dirty", c.getInt(5) != 0)
                .put("deleted", c.getInt(6) != 0).put("starred", c.getInt(7) != 0)
        }.toMap()
    }

    /** `null` where they cannot be read: labels are then left alone. */
    private fun groups(): JSONArray? = try {
        val rows = query(Groups.CONTENT_URI, GROUP_COLUMNS, null, null) { c ->
            val owner = c.getString(2)?.let { JSONObject().put("name", c.getString(1).orEmpty()).put("type", it) }
            JSONObject().put("id", c.getLong(0)).put("account", owner).put("title", c.getString(3))
                .put("source_id", c.getString(4)).put("deleted", c.getInt(5) != 0)
                .put("is_system", !c.isNull(6) || c.getInt(7) != 0 || c.getInt(8) != 0)
        }
        JSONArray(rows)
    } catch (_: RuntimeException) {
        null
    } catch (_: RemoteException) {
        null
    }

    private fun rows(raws: List<Long>, whole: Boolean): JSONObject {
        val contacts = try {
            contacts(raws, whole)
        } catch (e: RuntimeException) {
            if (raws.size == 1) throw e
            // One of them is too much for Android's own window: the others are read without it.
            raws.flatMap { alone(it, whole) }
        }
        return JSONObject().put("given", "rows").put("contacts", JSONArray(contacts))
    }

    private fun alone(raw: Long, whole: Boolean): List<JSONObject> = try {
        contacts(listOf(raw), whole)
    } catch (_: RuntimeException) {
        unreadable += raw
        emptyList()
    }

    private fun contacts(raws: List<Long>, whole: Boolean): List<JSONObject> {
        val found = heads(raws)
        val rows = found.keys.associateWith { JSONArray() }
        query(Data.CONTENT_URI, ROW_COLUMNS, "${Data.RAW_CONTACT_ID} IN (${raws.joinToString()})", Data._ID) { c ->
            // Read without its rows, a contact would look as if its user had emptied it.
            if (c.isNull(1) || c.isNull(2)) throw RemoteException("a row of no contact or of no kind")
            val raw = c.getLong(1)
            if (!c.isNull(4)) found[raw]?.put("saved_at", java.time.Instant.ofEpochMilli(c.getLong(4)).withMillis())
            rows[raw]?.put(row(c, whole))
        }
        return found.map { (raw, head) -> head.put("rows", rows[raw]) }
    }

    private fun row(c: Cursor, whole: Boolean): JSONObject {
        val data = JSONArray()
        for (column in FIRST_DATA until c.columnCount) {
            val isBlob = c.getType(column) == Cursor.FIELD_TYPE_BLOB
            // Photos stay where they are, but for those of a contact that is about to be removed.
            val value = if (!isBlob) c.getString(column) else if (whole) blob(c, column) else null
            data.put(value ?: JSONObject.NULL)
        }
        return JSONObject().put("id", c.getLong(0)).put("mimetype", c.getString(2))
            .put("is_primary", c.getInt(3) != 0).put("data", data)
    }

    /** In base 64. Of a photo the row has a small one, and its `DATA14` names the large. */
    private fun blob(c: Cursor, column: Int): String {
        val isPhoto = c.getString(2) == Photo.CONTENT_ITEM_TYPE && !c.isNull(column - 1)
        val large = if (isPhoto) photo(c.getLong(column - 1)) else null
        return Base64.encodeToString(large ?: c.getBlob(column), Base64.NO_WRAP)
    }

    private fun photo(file: Long): ByteArray? = try {
        provider.openAssetFile(ContentUris.withAppendedId(DisplayPhoto.CONTENT_URI, file), "r")
            ?.use { it.createInputStream().readBytes() }?.takeIf { it.size <= LARGEST_PHOTO }
    } catch (_: IOException) {
        null
    }

    private fun <T> query(
        uri: android.net.Uri,
        columns: Array<String>,
        where: String?,
        order: String?,
        each: (Cursor) -> T,
    ): List<T> {
        val cursor = provider.query(uri.ofSyncAdapter(), columns, where, null, order)
            ?: throw RemoteException("the contacts provider gave no cursor")
        return cursor.use { c ->
            buildList {
                while (c.moveToNext()) {
                    // A phone has thousands of rows, and the sync is to end within a second.
                    if (isStopped()) throw RemoteException("cancelled")
                    add(each(c))
                }
            }
        }
    }

    private fun apply(ask: JSONObject): JSONObject {
        val yields = ask.getJSONArray("yields")
        val mayYield = List(yields.length(), yields::getInt).toSet()
        val operations = ask.getJSONArray("operations").objects()
        val batch = ArrayList(operations.mapIndexed { at, op -> operation(op, at in mayYield) })
        val results = provider.applyBatch(batch).map { result ->
            result.uri?.let { ContentUris.parseId(it) } ?: result.count?.toLong() ?: 0L
        }
        operations.forEach(::count)
        return JSONObject().put("given", "applied").put("results", JSONArray(results))
    }

    private fun count(op: JSONObject) {
        when (op.getString("op")) {
            "insert_raw" -> inserted++
            "delete_raw" -> deleted++
            "update_row", "insert_row", "delete_row", "set_starred" -> updated++
        }
    }

    private companion object {
        val HEAD_COLUMNS = arrayOf(
            RawContacts._ID, RawContacts.ACCOUNT_NAME, RawContacts.ACCOUNT_TYPE, RawContacts.SOURCE_ID,
            RawContacts.VERSION, RawContacts.DIRTY, RawContacts.DELETED, RawContacts.STARRED,
        )
        val GROUP_COLUMNS = arrayOf(
            Groups._ID, Groups.ACCOUNT_NAME, Groups.ACCOUNT_TYPE, Groups.TITLE, Groups.SOURCE_ID, Groups.DELETED,
            Groups.SYSTEM_ID, Groups.FAVORITES, Groups.AUTO_ADD,
        )
        const val LARGEST_PHOTO = 64 * 1024
        const val FIRST_DATA = 5
        val ROW_COLUMNS = arrayOf(
            Data._ID, Data.RAW_CONTACT_ID, Data.MIMETYPE, Data.IS_PRIMARY,
            ContactsContract.Contacts.CONTACT_LAST_UPDATED_TIMESTAMP,
        ) + Array(15) { "data${it + 1}" }
    }
}

/** As the protocol writes a time: three digits after the second, always. */
fun java.time.Instant.withMillis(): String =
    java.time.format.DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", java.util.Locale.ROOT)
        .withZone(java.time.ZoneOffset.UTC).format(this)
