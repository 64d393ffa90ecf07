package org.callbook.provider

import android.content.ContentProvider
import android.content.ContentProviderOperation
import android.content.ContentProviderResult
import android.content.ContentValues
import android.content.pm.ProviderInfo
import android.database.Cursor
import android.net.Uri
import android.os.Bundle
import android.os.ParcelFileDescriptor
import android.provider.ContactsContract.AUTHORITY

/**
 * The contacts provider of all tests. It stands before the one whose class the system property `callbook.contacts` names,
 * passes every call on, and makes such trouble as a test asks for. Of the one behind it tests know the authority and the
 * contract alone, so that they run on any.
 */
class TroubledProvider : ContentProvider() {
    /** Each must begin empty, whatever others of its class had before. */
    val behind: ContentProvider =
        Class.forName(System.getProperty("callbook.contacts")!!).getDeclaredConstructor().newInstance() as ContentProvider

    /**
     * Called with the number of the batch and of the operation, for each operation in order, before the batch is passed on.
     * When it throws, what stands before the last yield point is done and the rest is not, as where others wait for the
     * provider's database and it dies at that operation. In a batch without yield points, that is nothing.
     */
    var beforeOperation: (Int, Int) -> Unit = { _, _ -> }

    /** What a query gives instead of what was found. */
    var given: (Uri, Cursor) -> Cursor? = { _, found -> found }

    @Volatile
    var batches = 0
        private set

    /** How many operations the largest of them had. */
    var largestBatch = 0
        private set

    override fun onCreate(): Boolean {
        behind.attachInfo(context, ProviderInfo().apply { authority = AUTHORITY })
        return true
    }

    override fun applyBatch(operations: ArrayList<ContentProviderOperation>): Array<ContentProviderResult> {
        batches++
        largestBatch = maxOf(largestBatch, operations.size)
        var committed = 0
        try {
            for ((at, operation) in operations.withIndex()) {
                if (operation.isYieldAllowed) committed = at
                beforeOperation(batches, at)
            }
        } catch (e: Throwable) {
            // What one operation names of another is before it: a beginning stands by itself.
            if (committed > 0) behind.applyBatch(ArrayList(operations.take(committed)))
            throw e
        }
        return behind.applyBatch(operations)
    }

    override fun query(uri: Uri, projection: Array<String>?, selection: String?, args: Array<String>?, order: String?): Cursor? =
        behind.query(uri, projection, selection, args, order)?.let { given(uri, it) }

    override fun insert(uri: Uri, values: ContentValues?): Uri? = behind.insert(uri, values)

    override fun bulkInsert(uri: Uri, values: Array<ContentValues>): Int = behind.bulkInsert(uri, values)

    override fun update(uri: Uri, values: ContentValues?, selection: String?, args: Array<String>?): Int =
        behind.update(uri, values, selection, args)

    override fun delete(uri: Uri, selection: String?, args: Array<String>?): Int = behind.delete(uri, selection, args)

    override fun call(method: String, argument: String?, extras: Bundle?): Bundle? = behind.call(method, argument, extras)

    override fun getType(uri: Uri): String? = behind.getType(uri)

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor? = behind.openFile(uri, mode)

    override fun openAssetFile(uri: Uri, mode: String) = behind.openAssetFile(uri, mode)

    override fun shutdown() = behind.shutdown()
}
