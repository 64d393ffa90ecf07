package org.callbook

import android.accounts.Account
import android.content.ContentProviderOperation
import android.content.ContentResolver
import android.content.ContentUris
import android.content.ContentValues
import android.provider.ContactsContract.AUTHORITY
import android.provider.ContactsContract.CALLER_IS_SYNCADAPTER
import android.provider.ContactsContract.CommonDataKinds.GroupMembership
import android.provider.ContactsContract.CommonDataKinds.Note
import android.provider.ContactsContract.CommonDataKinds.Phone
import android.provider.ContactsContract.CommonDataKinds.Photo
import android.provider.ContactsContract.CommonDataKinds.StructuredName
import android.provider.ContactsContract.Data
import android.provider.ContactsContract.Groups
import android.provider.ContactsContract.RawContacts

/** What people do with the phone's contacts app, by Android's contract alone. */
class PhoneBook(private val resolver: ContentResolver) {
    /** Saves a contact, and gives its raw contact id. */
    fun save(account: Account?, name: String, vararg numbers: String, note: String? = null): Long {
        val ops = arrayListOf(
            ContentProviderOperation.newInsert(RawContacts.CONTENT_URI)
                .withValue(RawContacts.ACCOUNT_NAME, account?.name)
                .withValue(RawContacts.ACCOUNT_TYPE, account?.type)
                .build(),
            row(StructuredName.CONTENT_ITEM_TYPE, name),
        )
        numbers.mapTo(ops) { row(Phone.CONTENT_ITEM_TYPE, it) }
        note?.let { ops += row(Note.CONTENT_ITEM_TYPE, it) }
        return ContentUris.parseId(resolver.applyBatch(AUTHORITY, ops)[0].uri!!)
    }

    private fun row(mimetype: String, value: String) = ContentProviderOperation.newInsert(Data.CONTENT_URI)
        .withValueBackReference(Data.RAW_CONTACT_ID, 0)
        .withValue(Data.MIMETYPE, mimetype).withValue(Data.DATA1, value).build()

    /** Saves many at once, each with one number. */
    fun saveMany(account: Account?, count: Int, name: (Int) -> String, number: (Int) -> String) {
        for (part in (0 until count).chunked(150)) {
            val ops = ArrayList<ContentProviderOperation>()
            for (n in part) {
                val at = ops.size
                ops += ContentProviderOperation.newInsert(RawContacts.CONTENT_URI)
                    .withValue(RawContacts.ACCOUNT_NAME, account?.name)
                    .withValue(RawContacts.ACCOUNT_TYPE, account?.type).build()
                val rows = listOf(StructuredName.CONTENT_ITEM_TYPE to name(n), Phone.CONTENT_ITEM_TYPE to number(n))
                for ((mimetype, value) in rows) {
                    ops += ContentProviderOperation.newInsert(Data.CONTENT_URI)
                        .withValueBackReference(Data.RAW_CONTACT_ID, at)
                        .withValue(Data.MIMETYPE, mimetype).withValue(Data.DATA1, value).build()
                }
            }
            resolver.applyBatch(AUTHORITY, ops)
        }
    }

    fun rename(raw: Long, name: String) {
        val values = ContentValues().apply { put(Data.DATA1, name) }
        val where = "${Data.RAW_CONTACT_ID} = $raw AND ${Data.MIMETYPE} = '${StructuredName.CONTENT_ITEM_TYPE}'"
        check(resolver.update(Data.CONTENT_URI, values, where, null) == 1)
    }

    fun delete(raw: Long) = check(resolver.delete(ContentUris.withAppendedId(RawContacts.CONTENT_URI, raw), null, null) == 1)

    fun deleteAll(account: Account): Int =
        resolver.delete(RawContacts.CONTENT_URI, "account_name = ? AND deleted = 0", arrayOf(account.name))

    /** An account was removed from the phone: Android takes its contacts and labels at once, and leaves no tombstones. */
    fun lose(account: Account) = listOf(RawContacts.CONTENT_URI, Groups.CONTENT_URI).forEach { table ->
        val its = table.buildUpon()
            .appendQueryParameter(CALLER_IS_SYNCADAPTER, "true")
            .appendQueryParameter(RawContacts.ACCOUNT_NAME, account.name)
            .appendQueryParameter(RawContacts.ACCOUNT_TYPE, account.type)
        resolver.delete(its.build(), null, null)
    }

    /** What an account shows: `name: number, number`, sorted. */
    fun shown(account: Account): List<String> {
        val names = HashMap<Long, String>()
        val numbers = HashMap<Long, MutableList<String>>()
        val columns = arrayOf(Data.RAW_CONTACT_ID, Data.MIMETYPE, Data.DATA1)
        resolver.query(Data.CONTENT_URI, columns, "account_name = ?", arrayOf(account.name), Data._ID)!!.use { c ->
            while (c.moveToNext()) when (c.getString(1)) {
                StructuredName.CONTENT_ITEM_TYPE -> names[c.getLong(0)] = c.getString(2)
                Phone.CONTENT_ITEM_TYPE -> numbers.getOrPut(c.getLong(0), ::ArrayList) += c.getString(2)
            }
        }
        return raws(account).map { "${names[it].orEmpty()}: ${numbers[it].orEmpty().joinToString()}" }.sorted()
    }

    fun raws(account: Account): List<Long> = resolver.query(
        RawContacts.CONTENT_URI, arrayOf(RawContacts._ID), "account_name = ? AND deleted = 0", arrayOf(account.name),
        RawContacts._ID,
    )!!.use { c -> buildList { while (c.moveToNext()) add(c.getLong(0)) } }

    /** Makes a label, and gives its id. */
    fun label(account: Account, title: String): Long {
        val values = ContentValues().apply {
            put(Groups.ACCOUNT_NAME, account.name)
            put(Groups.ACCOUNT_TYPE, account.type)
            put(Groups.TITLE, title)
        }
        return ContentUris.parseId(resolver.insert(Groups.CONTENT_URI, values)!!)
    }

    fun put(raw: Long, group: Long) = add(raw, GroupMembership.CONTENT_ITEM_TYPE) { put(Data.DATA1, group) }

    fun photo(raw: Long, bytes: ByteArray) = add(raw, Photo.CONTENT_ITEM_TYPE) { put(Photo.PHOTO, bytes) }

    private fun add(raw: Long, mimetype: String, values: ContentValues.() -> Unit) {
        val row = ContentValues().apply {
            put(Data.RAW_CONTACT_ID, raw)
            put(Data.MIMETYPE, mimetype)
            values()
        }
        resolver.insert(Data.CONTENT_URI, row)
    }

    /** The labels of an account, each with how many contacts it has. */
    fun labels(account: Account): Map<String, Int> = resolver.query(
        Groups.CONTENT_URI, arrayOf(Groups._ID, Groups.TITLE), "account_name = ? AND deleted = 0", arrayOf(account.name), null,
    )!!.use { c -> buildMap { while (c.moveToNext()) put(c.getString(1), members(c.getString(0))) } }

    private fun members(group: String): Int = resolver.query(
        Data.CONTENT_URI, arrayOf(Data._ID), "mimetype = ? AND data1 = ?",
        arrayOf(GroupMembership.CONTENT_ITEM_TYPE, group), null,
    )!!.use { it.count }

    /** The photos of an account. */
    fun photos(account: Account): List<ByteArray> = resolver.query(
        Data.CONTENT_URI, arrayOf(Photo.PHOTO), "mimetype = ? AND account_name = ?",
        arrayOf(Photo.CONTENT_ITEM_TYPE, account.name), null,
    )!!.use { c -> buildList { while (c.moveToNext()) add(c.getBlob(0)) } }

    /** Raw contacts that a sync has still to hear of. */
    fun dirty(): Int =
        resolver.query(RawContacts.CONTENT_URI, arrayOf(RawContacts._ID), "dirty = 1", null, null)!!.use { it.count }
}
