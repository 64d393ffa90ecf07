package org.callbook.provider

import android.content.ContentValues
import android.database.Cursor
import android.database.sqlite.SQLiteDatabase
import android.provider.ContactsContract.CommonDataKinds.GroupMembership
import android.provider.ContactsContract.CommonDataKinds.Phone
import android.provider.ContactsContract.CommonDataKinds.StructuredName
import android.provider.ContactsContract.CommonDataKinds.StructuredPostal

/** The tables of [FakeContactsProvider], and what the provider counts and marks in them. */
class ContactRows(private val db: SQLiteDatabase) {
    /** Raw contacts that rows were inserted for since the last flush. */
    private val insertedFor = sortedSetOf<Long>()

    init {
        db.execSQL(
            "CREATE TABLE raw_contacts (_id INTEGER PRIMARY KEY AUTOINCREMENT, account_name TEXT, account_type TEXT, " +
                "sourceid TEXT, backup_id TEXT UNIQUE, version INTEGER NOT NULL DEFAULT 1, dirty INTEGER NOT NULL DEFAULT 0, " +
                "deleted INTEGER NOT NULL DEFAULT 0, starred INTEGER NOT NULL DEFAULT 0, sync1 TEXT, sync2 TEXT, sync3 TEXT, " +
                "sync4 TEXT, contact_id INTEGER, contact_last_updated_timestamp INTEGER)",
        )
        db.execSQL(
            "CREATE TABLE data_rows (_id INTEGER PRIMARY KEY AUTOINCREMENT, raw_contact_id INTEGER NOT NULL, " +
                "mimetype TEXT NOT NULL, is_primary INTEGER NOT NULL DEFAULT 0, is_super_primary INTEGER NOT NULL DEFAULT 0, " +
                (1..15).joinToString { "data$it" } + ", " + (1..4).joinToString { "data_sync$it" } + ")",
        )
        db.execSQL("CREATE INDEX data_of ON data_rows(raw_contact_id)")
        db.execSQL(
            "CREATE VIEW view_data AS SELECT d.*, r.account_name, r.account_type, r.sourceid, r.version, r.dirty, r.deleted, " +
                "r.contact_id, r.contact_last_updated_timestamp, 'key' || r.contact_id AS lookup " +
                "FROM data_rows d JOIN raw_contacts r ON r._id = d.raw_contact_id WHERE r.deleted = 0",
        )
        db.execSQL("CREATE VIEW view_contacts AS SELECT * FROM raw_contacts WHERE deleted = 0")
        db.execSQL("CREATE TABLE settings (account_name, account_type, ungrouped_visible, should_sync)")
        db.execSQL(
            "CREATE TABLE groups (_id INTEGER PRIMARY KEY AUTOINCREMENT, account_name, account_type, title, sourceid, " +
                "system_id, favorites INTEGER NOT NULL DEFAULT 0, auto_add INTEGER NOT NULL DEFAULT 0, group_visible, " +
                "deleted INTEGER NOT NULL DEFAULT 0)",
        )
    }

    /** A transaction ends, or changes rows: raw contacts for which rows were inserted get their next version. */
    fun flush() {
        insertedFor.forEach { count(it, 1) }
        insertedFor.clear()
    }

    /** What was not committed never was. */
    fun forget() = insertedFor.clear()

    private fun count(raw: Long, changes: Int) =
        db.execSQL("UPDATE raw_contacts SET version = version + $changes WHERE _id = $raw")

    private fun touch(raw: Long, isOfSync: Boolean) {
        val dirty = if (isOfSync) "" else "dirty = 1, "
        db.execSQL("UPDATE raw_contacts SET ${dirty}contact_last_updated_timestamp = ${now()} WHERE _id = $raw")
    }

    private fun now() = System.currentTimeMillis()

    /** `null` when SQLite does not take it: the provider only logs that. */
    fun insertRaw(values: ContentValues, account: Pair<String, String>?): Long? {
        if (values.keySet().any { it !in RAW_COLUMNS }) return null
        val (name, type) = values.getAsString("account_name") to values.getAsString("account_type")
        val given = if (name == null && type == null) null else name to type
        if (given != null && (name == null || type == null)) {
            illegal("Must specify both or neither of ACCOUNT_NAME and ACCOUNT_TYPE")
        }
        if (given != null && account != null && given != account) {
            illegal("When both specified, ACCOUNT_NAME and ACCOUNT_TYPE must match")
        }
        account?.let { values.put("account_name", it.first); values.put("account_type", it.second) }
        values.put("contact_last_updated_timestamp", now())
        val id = db.insert("raw_contacts", null, values)
        if (id < 0) return null
        db.execSQL("UPDATE raw_contacts SET contact_id = _id WHERE _id = $id")
        return id
    }

    private fun illegal(text: String): Nothing =
        throw IllegalArgumentException("$text; URI: content://com.android.contacts/raw_contacts")

    fun insertDatum(values: ContentValues, isOfSync: Boolean): Long {
        for (column in listOf("raw_contact_id", "mimetype")) {
            requireNotNull(values.get(column)) { "$column is required" }
        }
        val raw = values.getAsLong("raw_contact_id")
        if (values.getAsString("mimetype") == StructuredName.CONTENT_ITEM_TYPE) nameParts(emptyMap(), values)
        val primary = values.getAsInteger("is_primary") ?: 0
        val id = db.insertOrThrow("data_rows", null, values)
        insertedFor += raw
        touch(raw, isOfSync)
        if (primary != 0) makePrimary(id, "is_primary")
        return id
    }

    fun updateRaw(id: Long, values: ContentValues, isOfSync: Boolean): Boolean {
        val (wasDeleted, wasAt) = raw(id)
        if (!isOfSync && values.keySet().any { it in OF_USER }) db.execSQL("UPDATE raw_contacts SET dirty = 1 WHERE _id = $id")
        db.update("raw_contacts", values, "_id = $id", null)
        val (isDeleted, isAt) = raw(id)
        if (isDeleted != wasDeleted && isAt == wasAt) count(id, 1)
        return true
    }

    private fun raw(id: Long): Pair<Int, Long> =
        db.rawQuery("SELECT deleted, version FROM raw_contacts WHERE _id = $id", null).use {
            if (it.moveToFirst()) it.getInt(0) to it.getLong(1) else 0 to 0L
        }

    /** Whether it counts as changed. */
    fun updateDatum(id: Long, values: ContentValues, isOfSync: Boolean): Boolean {
        val before = datum(id) ?: return false
        val raw = before.getValue("raw_contact_id")!!.toLong()
        val mimetype = before.getValue("mimetype")
        val others = ContentValues(values).apply { keySet().filter { it.startsWith("is_") }.forEach(::remove) }
        val primary = values.keySet().filter { it.startsWith("is_") }
        if (mimetype == StructuredName.CONTENT_ITEM_TYPE) nameParts(before, others)
        val isSame = others.keySet().all { others.getAsString(it) == before[it] } && mimetype in COMPARED
        if (isSame && primary.isEmpty()) return false
        if (others.size() > 0 && !isSame) {
            db.update("data_rows", others, "_id = $id", null)
            count(raw, 1)
        }
        when {
            values.getAsInteger("is_super_primary") == 1 -> {
                makePrimary(id, "is_super_primary")
                makePrimary(id, "is_primary")
            }
            values.getAsInteger("is_primary") == 1 -> makePrimary(id, "is_primary")
            primary.isNotEmpty() -> {
                db.execSQL("UPDATE data_rows SET is_primary = 0, is_super_primary = 0 WHERE _id = $id")
                count(raw, 1)
            }
        }
        touch(raw, isOfSync)
        return true
    }

    private fun datum(id: Long): Map<String, String?>? =
        db.rawQuery("SELECT * FROM data_rows WHERE _id = $id", null).use { c ->
            if (!c.moveToFirst()) return null
            c.columnNames.withIndex().associate { (at, name) ->
                name to if (c.getType(at) == Cursor.FIELD_TYPE_BLOB) "a blob" else c.getString(at)
            }
        }

    /** One row of a kind is the first; each row that is written counts. */
    private fun makePrimary(id: Long, column: String) {
        val row = datum(id) ?: return
        val kind = "raw_contact_id = ${row["raw_contact_id"]} AND mimetype = '${row["mimetype"]}'"
        val rows = db.rawQuery("SELECT count(*) FROM data_rows WHERE $kind", null).use { it.moveToFirst(); it.getInt(0) }
        db.execSQL("UPDATE data_rows SET $column = (_id = $id) WHERE $kind")
        count(row["raw_contact_id"]!!.toLong(), rows)
    }

    fun deleteDatum(id: Long, isOfSync: Boolean) {
        val raw = datum(id)?.get("raw_contact_id")?.toLong() ?: return
        db.delete("data_rows", "_id = $id", null)
        count(raw, 1)
        touch(raw, isOfSync)
    }

    fun deleteRaw(id: Long, isOfSync: Boolean) {
        val hasAccount = db.rawQuery("SELECT account_name FROM raw_contacts WHERE _id = $id", null)
            .use { it.moveToFirst() && !it.isNull(0) }
        if (isOfSync || !hasAccount) {
            db.delete("data_rows", "raw_contact_id = $id", null)
            db.delete("raw_contacts", "_id = $id", null)
        } else {
            db.execSQL(
                "UPDATE raw_contacts SET deleted = 1, dirty = 1, contact_id = NULL, version = version + 1 " +
                    "WHERE _id = $id AND deleted = 0",
            )
        }
    }

    /** What its contacts say of it goes with it. Its tombstone stays until the sync adapter has seen it. */
    fun deleteGroup(id: Long, isOfSync: Boolean) {
        val kind = GroupMembership.CONTENT_ITEM_TYPE
        val members = db.rawQuery("SELECT _id FROM data_rows WHERE mimetype = ? AND data1 = ?", arrayOf(kind, "$id"))
            .use { c -> buildList { while (c.moveToNext()) add(c.getLong(0)) } }
        members.forEach { deleteDatum(it, isOfSync) }
        db.execSQL(if (isOfSync) "DELETE FROM groups WHERE _id = $id" else "UPDATE groups SET deleted = 1 WHERE _id = $id")
    }

    /** A name that is given whole is taken apart, and one in parts is put together. */
    private fun nameParts(before: Map<String, String?>, values: ContentValues) {
        val isWhole = values.containsKey("data1")
        if (isWhole == PARTS.any(values::containsKey)) return
        if (values.keySet().all { values.getAsString(it) == before[it] }) return
        if (isWhole) {
            PARTS.forEach(values::putNull)
            val words = values.getAsString("data1").orEmpty().split(' ').filter(String::isNotEmpty)
            words.firstOrNull()?.let { values.put("data2", it) }
            if (words.size > 1) values.put("data3", words.drop(1).joinToString(" "))
        } else {
            val parts = PARTS.mapNotNull { if (values.containsKey(it)) values.getAsString(it) else before[it] }
            values.put("data1", parts.joinToString(" ").ifEmpty { null })
        }
    }

    companion object {
        val RAW_COLUMNS = setOf(
            "_id", "account_name", "account_type", "sourceid", "backup_id", "version", "dirty", "deleted", "starred",
            "sync1", "sync2", "sync3", "sync4", "contact_id", "contact_last_updated_timestamp",
        )
        val DATA_COLUMNS = setOf("_id", "raw_contact_id", "mimetype", "is_primary", "is_super_primary") +
            (1..15).map { "data$it" } + (1..4).map { "data_sync$it" }
        val JOINED_COLUMNS =
            setOf("account_name", "account_type", "sourceid", "version", "contact_id", "contact_last_updated_timestamp", "lookup")
        val GROUP_COLUMNS = setOf(
            "_id", "account_name", "account_type", "title", "sourceid", "system_id", "favorites", "auto_add", "group_visible",
            "deleted",
        )
        const val OF_ACCOUNT = "account_name = ? AND account_type = ?"

        /** Columns of a raw contact that a user changes. */
        private val OF_USER = setOf("starred", "account_name", "account_type")

        /** Prefix, given, middle, family, suffix. */
        private val PARTS = listOf("data4", "data2", "data5", "data3", "data6")

        /** Kinds of rows whose update to the same value is none. */
        private val COMPARED =
            setOf(StructuredName.CONTENT_ITEM_TYPE, Phone.CONTENT_ITEM_TYPE, StructuredPostal.CONTENT_ITEM_TYPE)
    }
}
