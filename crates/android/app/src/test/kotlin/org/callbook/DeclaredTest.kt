package org.callbook

import android.content.ComponentName
import android.content.Intent
import android.content.pm.ApplicationInfo
import android.content.pm.PackageManager
import org.callbook.account.AuthenticatorService
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.annotation.Config
import org.xmlpull.v1.XmlPullParser

/** What the app says of itself in its manifest and beside it, as Android and the phone's contacts app read it. */
class DeclaredTest : AppTest() {
    /** The tags of a file of resources; attributes are read as Android does. */
    private fun <T> tags(xml: Int, read: (XmlPullParser) -> T): List<T> = app.resources.getXml(xml).use { parser ->
        buildList {
            while (parser.next() != XmlPullParser.END_DOCUMENT) if (parser.eventType == XmlPullParser.START_TAG) add(read(parser))
        }
    }

    private fun services(action: String) =
        app.packageManager.queryIntentServices(Intent(action), PackageManager.GET_META_DATA).map { it.serviceInfo }

    @Test
    @Config(sdk = [26, 31, 33, 34])
    fun `exactly these permissions, and these versions of Android`() {
        val info = app.packageManager.getPackageInfo(app.packageName, PackageManager.GET_PERMISSIONS)
        val wanted = listOf(
            "READ_CONTACTS", "WRITE_CONTACTS", "READ_CALL_LOG", "WRITE_CALL_LOG", "READ_PHONE_STATE", "RECEIVE_BOOT_COMPLETED",
            "FOREGROUND_SERVICE", "FOREGROUND_SERVICE_DATA_SYNC", "INTERNET", "ACCESS_NETWORK_STATE", "POST_NOTIFICATIONS",
            "REQUEST_IGNORE_BATTERY_OPTIMIZATIONS", "RUN_USER_INITIATED_JOBS", "READ_SYNC_SETTINGS", "WRITE_SYNC_SETTINGS",
        )
        assertEquals(wanted.map { "android.permission.$it" }.toSet(), info.requestedPermissions!!.toSet())
        assertEquals(26 to 34, app.applicationInfo.minSdkVersion to app.applicationInfo.targetSdkVersion)
    }

    @Test
    fun `Android may call only what it must`() {
        val flags = PackageManager.GET_SERVICES or PackageManager.GET_RECEIVERS or PackageManager.GET_ACTIVITIES or
            PackageManager.GET_PROVIDERS
        val info = app.packageManager.getPackageInfo(app.packageName, flags)
        val parts = info.services!!.toList() + info.receivers!! + info.activities!! + info.providers!!
        val exported = parts.filter { it.exported && it.name.startsWith(app.packageName) }
        assertEquals(
            setOf("AuthenticatorService", "SyncService", "CallsSyncService", "Boot", "MainActivity", "SignInActivity"),
            exported.map { it.name.substringAfterLast('.') }.toSet(),
        )
    }

    @Test
    fun `contacts and calls sync each with its own switch`() {
        val adapters = services("android.content.SyncAdapter").flatMap { service ->
            tags(service.metaData.getInt("android.content.SyncAdapter")) { tag ->
                listOf("accountType", "contentAuthority", "supportsUploading", "isAlwaysSyncable", "userVisible")
                    .map { tag.getAttributeValue(ANDROID, it) }
            }
        }
        val each = listOf("com.android.contacts", "org.callbook.calls")
        assertEquals(each.map { listOf("org.callbook", it, "true", "true", "true") }.toSet(), adapters.toSet())
        // Behind the second is a provider of our own.
        assertEquals("org.callbook", app.packageManager.resolveContentProvider("org.callbook.calls", 0)?.packageName)
        val authenticator = ComponentName(app, AuthenticatorService::class.java)
        val account = app.packageManager.getServiceInfo(authenticator, PackageManager.GET_META_DATA).metaData
            .getInt("android.accounts.AccountAuthenticator")
        assertEquals(listOf("org.callbook"), tags(account) { it.getAttributeValue(ANDROID, "accountType") })
    }

    /** Android's contacts app (`BaseAccountType`) leaves out an account whose file breaks one of its rules. */
    @Test
    fun `the phone's contacts app takes what contacts of the book have`() {
        val structure = services("android.content.SyncAdapter").mapNotNull { it.metaData }
            .first { it.containsKey(STRUCTURE) }.getInt(STRUCTURE)
        class Kind(val name: String, val isOnce: Boolean, val types: MutableSet<String> = mutableSetOf(), val lacks: List<String>)
        val kinds = ArrayList<Kind>()
        tags(structure) { tag ->
            if (tag.name == "DataKind") {
                val attributes = tag as android.util.AttributeSet
                val isOnce = attributes.getAttributeIntValue(null, "maxOccurs", -1) == 1
                val lacks = NAME_SUPPORTS.filterNot { attributes.getAttributeBooleanValue(null, "supports$it", false) }
                kinds += Kind(tag.getAttributeValue(null, "kind"), isOnce, lacks = lacks)
            }
            if (tag.name == "Type") kinds.last().types += tag.getAttributeValue(null, "type")
        }
        assertEquals(emptyList<String>(), kinds.single { it.name == "name" }.lacks)
        assertEquals(TYPES.keys + ONCE + "website", kinds.map { it.name }.toSet())
        assertEquals(ONCE, kinds.filter { it.isOnce }.map { it.name }.toSet())
        for (kind in kinds) assertTrue("${kind.name}: ${kind.types}", kind.types.isEmpty() != (kind.name in TYPES))
        for ((kind, known) in TYPES) assertEquals(kind, emptySet<String>(), kinds.single { it.name == kind }.types - known)
    }

    @Test
    fun `nothing is in a backup, or goes to another phone`() {
        assertEquals(0, app.applicationInfo.flags and ApplicationInfo.FLAG_ALLOW_BACKUP)
        var part = ""
        val excluded = tags(R.xml.data_extraction) { tag ->
            if (tag.name != "exclude") part = tag.name
            Triple(part, tag.getAttributeValue(null, "domain"), tag.getAttributeValue(null, "path"))
        }.filter { it.second != null }
        val all = listOf("root", "file", "database", "sharedpref", "external")
        val wanted = listOf("cloud-backup", "device-transfer").flatMap { where -> all.map { Triple(where, it, ".") } }
        assertEquals(wanted, excluded)
    }

    private companion object {
        const val ANDROID = "http://schemas.android.com/apk/res/android"
        const val STRUCTURE = "android.provider.CONTACTS_STRUCTURE"

        val NAME_SUPPORTS = listOf(
            "DisplayName", "Prefix", "MiddleName", "Suffix", "PhoneticFamilyName", "PhoneticMiddleName", "PhoneticGivenName",
        )

        /** What the contacts app takes only with `maxOccurs="1"`. */
        val ONCE = setOf("name", "photo", "nickname", "organization", "note", "group_membership")

        /** What must have types, and those that the contacts app knows. */
        val TYPES = mapOf(
            "phone" to setOf("mobile", "home", "work", "fax_work", "fax_home", "pager", "other", "custom"),
            "email" to setOf("home", "work", "other", "mobile", "custom"),
            "postal" to setOf("home", "work", "other", "custom"),
            "event" to setOf("birthday", "anniversary", "other", "custom"),
        )
    }
}
