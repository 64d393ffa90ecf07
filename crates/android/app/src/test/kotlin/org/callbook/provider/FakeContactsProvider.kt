package org.callbook.provider

import android.content.ContentProvider
import android.content.ContentProviderOperation
import android.content.ContentProviderResult
import android.content.ContentUris
import android.content.ContentValues
import android.content.OperationApplicationException
import android.content.UriMatcher
import android.database.Cursor
import android.database.sqlite.SQLiteDatabase
import android.database.sqlite.SQLiteQueryBuilder
import android.net.Uri
import android.os.SystemClock
import android.provider.ContactsContract
import android.provider.ContactsContract.AUTHORITY
import android.provider.ContactsContract.CALLER_IS_SYNCADAPTER
import android.provider.ContactsContract.Data
import android.provider.ContactsContract.RawContacts

/**
 * Android 14's contacts provider as far as sync meets it, on Android's own SQLite. It gives what the real one was seen to
 * give in 47 scenarios ([ProviderScenarios]). Aggregation is absent: each raw contact is a contact by itself.
 */
class FakeContactsProvider : ContentProvider() {
    private lateinit var db: SQLiteDatabase
    private lateinit var rows: ContactRows
    private var inBatch = false
    private var notifiedAt = Long.MIN_VALUE / 2

    /** Whether others wait for the database, so that a yield point commits. A phone in use has both. */
    var isContended = false

    override fun onCreate(): Boolean {
        db = SQLiteDatabase.create(null)
        rows = ContactRows(db)
        return true
    }

    override fun query(
        uri: Uri,
        projection: Array<String>?,
        selection: String?,
        args: Array<String>?,
        order: String?,
    ): Cursor {
        val asked = projection ?: COLUMNS.getValue(table(uri)).toTypedArray()
        asked.firstOrNull { it !in COLUMNS.getValue(table(uri)) }
            ?.let { throw IllegalArgumentException("Invalid column $it") }
        val account = uri.account()
        val where = listOfNotNull(of(uri), account?.let { ContactRows.OF_ACCOUNT }, selection)
            .joinToString(" AND ") { "($it)" }.ifEmpty { null }
        val values = (listOfNotNull(account?.first, account?.second) + args.orEmpty()).toTypedArray()
        val builder = SQLiteQueryBuilder().apply { tables = table(uri) }
        return builder.query(db, asked, where, values, null, null, order)
    }

    private fun table(uri: Uri): String = when (MATCHER.match(uri)) {
        RAW, RAW_ID -> "raw_contacts"
        DATA, DATA_ID, DATA_OF, PHONES -> "view_data"
        CONTACTS, CONTACT_ID -> "view_contacts"
        SETTINGS -> "settings"
        GROUPS, GROUP_ID -> "groups"
        else -> throw IllegalArgumentException("Unknown URI: $uri")
    }

    private fun of(uri: Uri): String? = when (MATCHER.match(uri)) {
        RAW_ID, DATA_ID, CONTACT_ID, GROUP_ID -> "_id = ${ContentUris.parseId(uri)}"
        DATA_OF -> "raw_contact_id = ${uri.pathSegments[1]}"
        PHONES -> "mimetype = '${ContactsContract.CommonDataKinds.Phone.CONTENT_ITEM_TYPE}'"
        else -> null
    }

    private fun Uri.account(): Pair<String, String>? {
        val name = getQueryParameter(RawContacts.ACCOUNT_NAME) ?: return null
        return name to (getQueryParameter(RawContacts.ACCOUNT_TYPE) ?: return null)
    }

    private val Uri.isOfSync get() = getBooleanQueryParameter(CALLER_IS_SYNCADAPTER, false)

    override fun insert(uri: Uri, values: ContentValues?): Uri? = transaction(uri.isOfSync) {
        val given = ContentValues(values ?: ContentValues())
        val id = when (MATCHER.match(uri)) {
            RAW -> rows.insertRaw(given, uri.account())
            DATA -> rows.insertDatum(given, uri.isOfSync)
            SETTINGS -> db.insert("settings", null, given)
            GROUPS -> db.insert("groups", null, given)
            else -> throw IllegalArgumentException("Unknown URI: $uri")
        }
        id?.let { ContentUris.appendId(uri.buildUpon(), it).build() }
    }

    override fun update(uri: Uri, values: ContentValues?, selection: String?, args: Array<String>?): Int =
        transaction(uri.isOfSync) {
            rows.flush()
            val ids = ids(uri, selection, args)
            when (table(uri)) {
                "groups" -> ids.count { db.update("groups", values, "_id = $it", null) == 1 }
                "raw_contacts" -> ids.count { rows.updateRaw(it, values!!, uri.isOfSync) }
                else -> ids.count { rows.updateDatum(it, values!!, uri.isOfSync) }
            }
        }

    override fun delete(uri: Uri, selection: String?, args: Array<String>?): Int = transaction(uri.isOfSync) {
        rows.flush()
        val ids = ids(uri, selection, args)
        for (id in ids) when (table(uri)) {
            "raw_contacts" -> rows.deleteRaw(id, uri.isOfSync)
            "view_contacts" -> rows.deleteRaw(id, false)
            "groups" -> rows.deleteGroup(id, uri.isOfSync)
            else -> rows.deleteDatum(id, uri.isOfSync)
        }
        ids.size
    }

    private fun ids(uri: Uri, selection: String?, args: Array<String>?): List<Long> =
        query(uri, arrayOf("_id"), selection, args, "_id").use { c ->
            buildList { while (c.moveToNext()) add(c.getLong(0)) }
        }

    private fun <T> transaction(isOfSync: Boolean, work: () -> T): T {
        if (inBatch) return work()
        db.beginTransaction()
        try {
            val result = work()
            rows.flush()
            db.setTransactionSuccessful()
            if (result != null && result != 0) notify(isOfSync)
            return result
        } finally {
            rows.forget()
            db.endTransaction()
        }
    }

    /** An app's changes are to be synced, and told of at once; those of a sync are told of once in five seconds. */
    private fun notify(isOfSync: Boolean) {
        val now = SystemClock.uptimeMillis()
        if (isOfSync && now - notifiedAt < NOTIFIED_EVERY) return
        if (isOfSync) notifiedAt = now
        context!!.contentResolver.notifyChange(ContactsContract.AUTHORITY_URI, null, !isOfSync)
    }

    override fun applyBatch(operations: ArrayList<ContentProviderOperation>): Array<ContentProviderResult> {
        val results = ArrayList<ContentProviderResult>(operations.size)
        var sinceYield = 0
        db.beginTransaction()
        inBatch = true
        try {
            for ((at, op) in operations.withIndex()) {
                // The 500th is refused, also where it is itself a yield point.
                if (++sinceYield >= MOST_OPERATIONS) {
                    throw OperationApplicationException("Too many content provider operations between yield points", at)
                }
                if (at > 0 && op.isYieldAllowed) {
                    sinceYield = 0
                    if (isContended) commit()
                }
                results += op.apply(this, results.toTypedArray(), at)
            }
            rows.flush()
            db.setTransactionSuccessful()
        } finally {
            inBatch = false
            rows.forget()
            db.endTransaction()
        }
        notify(operations.all { it.uri.isOfSync })
        return results.toTypedArray()
    }

    private fun commit() {
        rows.flush()
        db.setTransactionSuccessful()
        db.endTransaction()
        db.beginTransaction()
    }

    override fun getType(uri: Uri): String? = null

    override fun shutdown() = db.close()

    private companion object {
        const val MOST_OPERATIONS = 500
        const val NOTIFIED_EVERY = 5_000L
        const val RAW = 1
        const val RAW_ID = 2
        const val DATA = 3
        const val DATA_ID = 4
        const val DATA_OF = 5
        const val PHONES = 6
        const val CONTACTS = 7
        const val CONTACT_ID = 8
        const val SETTINGS = 9
        const val GROUPS = 10
        const val GROUP_ID = 11
        val MATCHER = UriMatcher(UriMatcher.NO_MATCH).apply {
            addURI(AUTHORITY, "raw_contacts", RAW)
            addURI(AUTHORITY, "raw_contacts/#", RAW_ID)
            addURI(AUTHORITY, "raw_contacts/#/data", DATA_OF)
            addURI(AUTHORITY, "data", DATA)
            addURI(AUTHORITY, "data/#", DATA_ID)
            addURI(AUTHORITY, "data/phones", PHONES)
            addURI(AUTHORITY, "contacts", CONTACTS)
            addURI(AUTHORITY, "contacts/#", CONTACT_ID)
            addURI(AUTHORITY, "settings", SETTINGS)
            addURI(AUTHORITY, "groups", GROUPS)
            addURI(AUTHORITY, "groups/#", GROUP_ID)
        }
        val COLUMNS = mapOf(
            "raw_contacts" to ContactRows.RAW_COLUMNS,
            "view_data" to ContactRows.DATA_COLUMNS + ContactRows.JOINED_COLUMNS,
            "view_contacts" to setOf("_id"),
            "settings" to setOf("account_name", "account_type", "ungrouped_visible", "should_sync"),
            "groups" to ContactRows.GROUP_COLUMNS,
        )
    }
}
