package org.callbook.provider

import android.accounts.Account
import android.content.ContentProviderOperation
import android.content.ContentResolver
import android.content.ContentUris
import android.content.ContentValues
import android.content.Context
import android.net.Uri
import android.provider.ContactsContract
import android.provider.ContactsContract.CommonDataKinds.Phone
import android.provider.ContactsContract.CommonDataKinds.StructuredName
import android.provider.ContactsContract.Data
import android.provider.ContactsContract.RawContacts
import org.robolectric.Shadows

/** Calls on whatever provider is registered for com.android.contacts; each gives what can be seen after it. */
class ProviderScenarios(private val context: Context, private val account: Account) {
    private val r: ContentResolver get() = context.contentResolver

    private fun Uri.sync() = buildUpon().appendQueryParameter(ContactsContract.CALLER_IS_SYNCADAPTER, "true").build()
    private fun cv(vararg p: Pair<String, Any?>) = ContentValues().apply { for ((k, v) in p) if (v == null) putNull(k) else put(k, v.toString()) }
    private fun acc() = arrayOf<Pair<String, Any?>>(RawContacts.ACCOUNT_NAME to account.name, RawContacts.ACCOUNT_TYPE to account.type)

    private fun state(where: String? = null) = r.query(RawContacts.CONTENT_URI, arrayOf("dirty", "version", "deleted"), where, null, "_id")!!.use { c ->
        buildList { while (c.moveToNext()) add("dirty${c.getInt(0)} v${c.getInt(1)} del${c.getInt(2)}") } }.toString()

    private fun two(sync: Boolean): Long {
        fun u(u: Uri) = if (sync) u.sync() else u
        return ContentUris.parseId(r.applyBatch(ContactsContract.AUTHORITY, arrayListOf(
            ContentProviderOperation.newInsert(u(RawContacts.CONTENT_URI)).withValue(RawContacts.ACCOUNT_NAME, account.name).withValue(RawContacts.ACCOUNT_TYPE, account.type).build(),
            ContentProviderOperation.newInsert(u(Data.CONTENT_URI)).withValueBackReference(Data.RAW_CONTACT_ID, 0).withValue(Data.MIMETYPE, StructuredName.CONTENT_ITEM_TYPE).withValue(StructuredName.DISPLAY_NAME, "Ann").build(),
            ContentProviderOperation.newInsert(u(Data.CONTENT_URI)).withValueBackReference(Data.RAW_CONTACT_ID, 0).withValue(Data.MIMETYPE, Phone.CONTENT_ITEM_TYPE).withValue(Phone.NUMBER, "1234567").build(),
        ))[0].uri!!)
    }
    private fun phoneRow() = r.query(Data.CONTENT_URI, arrayOf("_id"), "mimetype = '${Phone.CONTENT_ITEM_TYPE}'", null, null)!!.use { it.moveToFirst(); it.getLong(0) }
    private fun count(u: Uri, w: String? = null) = r.query(u, null, w, null, null)!!.use { it.count }
    private fun raw(id: Long) = ContentUris.withAppendedId(RawContacts.CONTENT_URI, id)
    private fun data(id: Long) = ContentUris.withAppendedId(Data.CONTENT_URI, id)

    val all: List<Pair<String, () -> Any?>> = listOf(
        "raw alone by app" to { r.insert(RawContacts.CONTENT_URI, cv(*acc())); state() },
        "raw alone by sync" to { r.insert(RawContacts.CONTENT_URI.sync(), cv(*acc())); state() },
        "raw+2 data one batch by sync" to { two(true); state() },
        "raw+2 data one batch by app" to { two(false); state() },
        "app updates sync1" to { val i = two(true); "${r.update(raw(i), cv("sync1" to "x"), null, null)} ${state()}" },
        "app updates sourceid" to { val i = two(true); "${r.update(raw(i), cv("sourceid" to "x"), null, null)} ${state()}" },
        "app stars" to { val i = two(true); "${r.update(raw(i), cv("starred" to 1), null, null)} ${state()}" },
        "sync stars" to { val i = two(true); "${r.update(raw(i).sync(), cv("starred" to 1), null, null)} ${state()}" },
        "sync updates sourceid" to { val i = two(true); "${r.update(raw(i).sync(), cv("sourceid" to "x"), null, null)} ${state()}" },
        "sync sets dirty=0" to { val i = two(false); "${r.update(raw(i).sync(), cv("dirty" to 0), null, null)} ${state()}" },
        "app sets dirty=0" to { val i = two(false); "${r.update(raw(i), cv("dirty" to 0), null, null)} ${state()}" },
        "app inserts data later" to { val i = two(true); r.insert(Data.CONTENT_URI, cv("raw_contact_id" to i, "mimetype" to Phone.CONTENT_ITEM_TYPE, "data1" to "77")); state() },
        "sync inserts data later" to { val i = two(true); r.insert(Data.CONTENT_URI.sync(), cv("raw_contact_id" to i, "mimetype" to Phone.CONTENT_ITEM_TYPE, "data1" to "77")); state() },
        "app updates data" to { two(true); "${r.update(data(phoneRow()), cv("data1" to "99"), null, null)} ${state()}" },
        "app updates data to the same value" to { two(true); "${r.update(data(phoneRow()), cv("data1" to "1234567"), null, null)} ${state()}" },
        "sync updates data" to { two(true); "${r.update(data(phoneRow()).sync(), cv("data1" to "99"), null, null)} ${state()}" },
        "sync updates data_sync1" to { two(true); "${r.update(data(phoneRow()).sync(), cv("data_sync1" to "e"), null, null)} ${state()}" },
        "app sets is_super_primary" to { two(true); "${r.update(data(phoneRow()), cv("is_super_primary" to 1), null, null)} ${state()}" },
        "app deletes data" to { two(true); "${r.delete(data(phoneRow()), null, null)} ${state()}" },
        "sync deletes data" to { two(true); "${r.delete(data(phoneRow()).sync(), null, null)} ${state()}" },
        "app deletes raw" to { val i = two(true); "${r.delete(raw(i), null, null)} ${state()}" },
        "app deletes raw twice" to { val i = two(true); r.delete(raw(i), null, null); "${r.delete(raw(i), null, null)} ${state()}" },
        "app deletes raw: Data, data by id, entities seen" to { val i = two(true); val p = phoneRow(); r.delete(raw(i), null, null)
            "${count(Data.CONTENT_URI)} ${count(data(p))} ${count(Uri.withAppendedPath(raw(i), "data"))}" },
        "app undeletes" to { val i = two(true); r.delete(raw(i), null, null); "${r.update(raw(i), cv("deleted" to 0), null, null)} ${state()} data ${count(Data.CONTENT_URI)}" },
        "sync deletes raw" to { val i = two(true); "${r.delete(raw(i).sync(), null, null)} ${state()}" },
        "app deletes raw of no account" to { val u = r.insert(RawContacts.CONTENT_URI, ContentValues())!!; "${r.delete(u, null, null)} ${state()}" },
        "app deletes aggregate contact" to { two(true); val c = r.query(RawContacts.CONTENT_URI, arrayOf("contact_id"), null, null, null)!!.use { it.moveToFirst(); it.getLong(0) }
            "${r.delete(ContentUris.withAppendedId(ContactsContract.Contacts.CONTENT_URI, c), null, null)} ${state()}" },
        "sync deletes aggregate contact" to { two(true); val c = r.query(RawContacts.CONTENT_URI, arrayOf("contact_id"), null, null, null)!!.use { it.moveToFirst(); it.getLong(0) }
            "${r.delete(ContentUris.withAppendedId(ContactsContract.Contacts.CONTENT_URI, c).sync(), null, null)} ${state()}" },
        "account name without type" to { r.insert(RawContacts.CONTENT_URI.sync(), cv(RawContacts.ACCOUNT_NAME to "me")) },
        "account only in uri" to { r.insert(RawContacts.CONTENT_URI.sync().buildUpon().appendQueryParameter("account_name", "me").appendQueryParameter("account_type", account.type).build(), ContentValues())
            count(RawContacts.CONTENT_URI, "account_name = 'me'") },
        "account in uri and values differ" to { r.insert(RawContacts.CONTENT_URI.sync().buildUpon().appendQueryParameter("account_name", "me").appendQueryParameter("account_type", account.type).build(), cv("account_name" to "you", "account_type" to account.type)) },
        "uri account filters query" to { two(true); count(RawContacts.CONTENT_URI.buildUpon().appendQueryParameter("account_name", "you").appendQueryParameter("account_type", account.type).build()) },
        "uri account filters delete" to { two(true); "${r.delete(RawContacts.CONTENT_URI.sync().buildUpon().appendQueryParameter("account_name", "you").appendQueryParameter("account_type", account.type).build(), null, null)} ${state()}" },
        "data without mimetype" to { val i = two(true); r.insert(Data.CONTENT_URI.sync(), cv("raw_contact_id" to i, "data1" to "1")) },
        "data without raw contact id" to { r.insert(Data.CONTENT_URI.sync(), cv("mimetype" to Phone.CONTENT_ITEM_TYPE, "data1" to "1")) },
        "data of a raw contact that is not there" to { r.insert(Data.CONTENT_URI.sync(), cv("raw_contact_id" to 99, "mimetype" to Phone.CONTENT_ITEM_TYPE, "data1" to "1")) },
        "unknown column" to { r.insert(RawContacts.CONTENT_URI.sync(), cv(*acc(), "nonsense" to 1)) },
        "sync writes version" to { val i = two(true); "${r.update(raw(i).sync(), cv("version" to 50), null, null)} ${state()}" },
        "unknown projection column" to { r.query(RawContacts.CONTENT_URI, arrayOf("nonsense"), null, null, null) },
        "same sourceid twice" to { r.insert(RawContacts.CONTENT_URI.sync(), cv(*acc(), "sourceid" to "s")); r.insert(RawContacts.CONTENT_URI.sync(), cv(*acc(), "sourceid" to "s")); state() },
        "same backup_id twice" to { "${r.insert(RawContacts.CONTENT_URI.sync(), cv(*acc(), "backup_id" to "s"))} ${r.insert(RawContacts.CONTENT_URI.sync(), cv(*acc(), "backup_id" to "s"))} ${state()}" },
        "notify flags: sync batch, app batch, app update, sync update" to { val s = Shadows.shadowOf(r)
            fun n() = s.notifiedUris.map { "${it.uri.authority}:${it.syncToNetwork || (it.flags and ContentResolver.NOTIFY_SYNC_TO_NETWORK) != 0}" }.also { s.notifiedUris.clear() }
            s.notifiedUris.clear(); two(true); val a = n(); two(false); val b = n(); r.update(data(phoneRow()), cv("data1" to "9"), null, null); val c = n(); r.update(data(phoneRow()).sync(), cv("data1" to "8"), null, null); "$a $b $c ${n()}" },
        "batch by sync: raw, data, update, data" to { val o = ArrayList<ContentProviderOperation>()
            o += ContentProviderOperation.newInsert(RawContacts.CONTENT_URI.sync()).withValue(RawContacts.ACCOUNT_NAME, account.name).withValue(RawContacts.ACCOUNT_TYPE, account.type).build()
            fun d(n: String) = ContentProviderOperation.newInsert(Data.CONTENT_URI.sync()).withValueBackReference(Data.RAW_CONTACT_ID, 0).withValue(Data.MIMETYPE, Phone.CONTENT_ITEM_TYPE).withValue(Phone.NUMBER, n).build()
            o += d("111"); o += ContentProviderOperation.newUpdate(RawContacts.CONTENT_URI.sync()).withSelection("_id = ?", arrayOf("")).withSelectionBackReference(0, 0).withValue("sync1", "x").build(); o += d("222")
            r.applyBatch(ContactsContract.AUTHORITY, o); state() },
        "batch by sync: delete data and insert it again" to { val i = two(true); val p = phoneRow(); r.applyBatch(ContactsContract.AUTHORITY, arrayListOf(
            ContentProviderOperation.newDelete(data(p).sync()).build(),
            ContentProviderOperation.newInsert(Data.CONTENT_URI.sync()).withValue("raw_contact_id", i).withValue("mimetype", Phone.CONTENT_ITEM_TYPE).withValue("data1", "5").build())); state() },
        "app inserts data on a tombstone" to { val i = two(true); r.delete(raw(i), null, null); r.insert(Data.CONTENT_URI, cv("raw_contact_id" to i, "mimetype" to Phone.CONTENT_ITEM_TYPE, "data1" to "7")); state() },
        "sync inserts raw with dirty=1" to { r.insert(RawContacts.CONTENT_URI.sync(), cv(*acc(), "dirty" to 1)); state() },
        "delete of what is not there" to { "${r.delete(raw(99).sync(), null, null)} ${r.delete(raw(99), null, null)} ${r.update(raw(99).sync(), cv("sync1" to "x"), null, null)}" },
    )
}
