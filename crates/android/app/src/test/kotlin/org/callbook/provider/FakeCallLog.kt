package org.callbook.provider

import android.content.ContentProvider
import android.content.ContentValues
import android.database.Cursor
import android.database.sqlite.SQLiteDatabase
import android.net.Uri
import android.provider.CallLog.Calls

/** Android's log of calls as far as sync meets it: a table, and the limit that its address may name. */
class FakeCallLog : ContentProvider() {
    private lateinit var db: SQLiteDatabase

    override fun onCreate(): Boolean {
        db = SQLiteDatabase.create(null)
        db.execSQL(
            "CREATE TABLE calls (_id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT, presentation INTEGER, date INTEGER, " +
                "duration INTEGER, type INTEGER, subscription_id TEXT)",
        )
        return true
    }

    override fun query(uri: Uri, projection: Array<String>?, where: String?, args: Array<String>?, order: String?): Cursor =
        db.query("calls", projection, where, args, null, null, order, uri.getQueryParameter(Calls.LIMIT_PARAM_KEY))

    override fun insert(uri: Uri, values: ContentValues?): Uri =
        Uri.withAppendedPath(Calls.CONTENT_URI, db.insertOrThrow("calls", null, values).toString())

    fun call(
        number: String?,
        date: Long,
        type: Int = Calls.INCOMING_TYPE,
        duration: Int = 10,
        id: Long? = null,
        line: String? = null,
    ) {
        insert(Calls.CONTENT_URI, ContentValues().apply {
            id?.let { put("_id", it) }
            put("number", number)
            put("presentation", Calls.PRESENTATION_ALLOWED)
            put("date", date)
            put("type", type)
            put("duration", duration)
            put(Calls.PHONE_ACCOUNT_ID, line)
        })
    }

    override fun delete(uri: Uri, selection: String?, args: Array<String>?): Int = db.delete("calls", selection, args)

    override fun update(uri: Uri, values: ContentValues?, selection: String?, args: Array<String>?): Int = 0

    override fun getType(uri: Uri): String? = null

    override fun shutdown() = db.close()
}
