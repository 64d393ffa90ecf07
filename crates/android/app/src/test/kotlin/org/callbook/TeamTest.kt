package org.callbook

import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import com.google.zxing.BinaryBitmap
import com.google.zxing.RGBLuminanceSource
import com.google.zxing.common.HybridBinarizer
import com.google.zxing.qrcode.QRCodeReader
import org.callbook.sync.Sync
import org.callbook.ui.ContactActivity
import org.callbook.ui.Qr
import org.callbook.ui.TeamActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog

/** A team's users and devices, and numbers that it has twice. */
class TeamTest : UsedPhone() {
    @Test
    @Config(sdk = [26, 31, 34])
    fun `an admin adds a user, who signs in by the code`() {
        Robolectric.buildActivity(TeamActivity::class.java, TeamActivity.intent(app, account)).setup().use {
            val users = it.get().findViewById<ViewGroup>(R.id.users)
            await("users") { users.childCount == 1 }
            it.get().addUser("mia", isAdmin = false)
            await("a new user") { users.childCount == 2 }
            val words = ShadowAlertDialog.getLatestAlertDialog().findViewById<TextView>(R.id.words).text.toString()
            val password = PASSWORD.find(words)!!.value
            assertNotNull(signIn("mia", password))
            it.get().addUser("mia", isAdmin = false)
            idle()
            Thread.sleep(200)
            idle()
            assertEquals(setOf("ann", "mia"), Script(server).users().keys)
        }
    }

    @Test
    fun `a code is what a camera reads`() {
        val link = "callbook://sign-in?server=book.example.org&user=ann&password=abcd-efgh-ijkl-mnop"
        val picture = Qr.draw(link, 300)
        val pixels = IntArray(picture.width * picture.height)
        picture.getPixels(pixels, 0, picture.width, 0, 0, picture.width, picture.height)
        val source = RGBLuminanceSource(picture.width, picture.height, pixels)
        assertEquals(link, QRCodeReader().decode(BinaryBitmap(HybridBinarizer(source))).text)
    }

    private fun team(use: (TeamActivity) -> Unit) {
        Script(server).addUser("mia")
        OtherPhone(server, "mia").close()
        Robolectric.buildActivity(TeamActivity::class.java, TeamActivity.intent(app, account)).setup().use {
            await("users and devices") { rowsOf(it.get(), R.id.users).size == 2 && rowsOf(it.get(), R.id.devices).size > 1 }
            use(it.get())
        }
    }

    private fun rowsOf(activity: TeamActivity, id: Int) = rows(activity.findViewById(id))

    private fun tap(activity: TeamActivity, id: Int, words: String) {
        val at = rowsOf(activity, id).indexOfFirst { words in it }
        activity.findViewById<ViewGroup>(id).getChildAt(at).performClick()
    }

    private fun choose(words: Int) {
        val dialog = ShadowAlertDialog.getLatestAlertDialog()
        val items = shadowOf(dialog).items.map { it.toString() }
        shadowOf(dialog).clickOnItem(items.indexOf(app.getString(words)))
    }

    @Test
    fun `a user is disabled and enabled, and gets a new password`() = team { activity ->
        tap(activity, R.id.users, "mia")
        choose(R.string.disable)
        await("disabled") { rowsOf(activity, R.id.users).any { app.getString(R.string.disabled) in it } }
        assertEquals(mapOf("ann" to false, "mia" to true), Script(server).users())
        tap(activity, R.id.users, "mia")
        choose(R.string.enable)
        await("enabled") { rowsOf(activity, R.id.users).none { app.getString(R.string.disabled) in it } }
        tap(activity, R.id.users, "mia")
        choose(R.string.new_password)
        fun words() = ShadowAlertDialog.getLatestAlertDialog().findViewById<TextView>(R.id.words)?.text?.toString().orEmpty()
        await("a password") { PASSWORD in words() }
        assertNotNull(signIn("mia", PASSWORD.find(words())!!.value))
    }

    @Test
    fun `a device says when it synced last, and is ended`() = team { activity ->
        val other = rowsOf(activity, R.id.devices).single { it.startsWith("other: mia") }
        assertTrue(other, app.getString(R.string.just_now) in other)
        tap(activity, R.id.devices, "other")
        ShadowAlertDialog.getLatestAlertDialog().getButton(android.app.AlertDialog.BUTTON_POSITIVE).performClick()
        await("it is gone") { rowsOf(activity, R.id.devices).none { "other" in it } }
        assertEquals(0, Script(server).devices("mia"))
    }

    /** What may be done about the first number of a contact. */
    private fun aboutNumber(id: String, words: Int, isDone: () -> Boolean) =
        Robolectric.buildActivity(ContactActivity::class.java, ContactActivity.intent(app, account, id)).setup().use {
            val parts = it.get().findViewById<ViewGroup>(R.id.parts)
            await("a number") { parts.childCount > 0 }
            parts.getChildAt(0).findViewById<View>(R.id.more).performClick()
            choose(words)
            await(app.getString(words), isSo = isDone)
        }

    @Test
    fun `a number of several people, and one that is somebody else's`() {
        val other = OtherPhone(server)
        val older = other.create("Ann Lee", "(415) 555-2671")
        other.sync()
        create("Bob Lee", "+1 415 555 2671")
        fun shown(): List<String> {
            assertTrue(Sync(app, account).run().wentWell)
            return PhoneBook(app.contentResolver).shown(account)
        }
        assertEquals(listOf("Ann Lee: (415) 555-2671"), shown())
        // Not hers: Bob Lee has it.
        aboutNumber(older, R.string.not_the_same) { "Bob Lee: +1 415 555 2671" in shown() }
        assertEquals(listOf("Ann Lee: ", "Bob Lee: +1 415 555 2671"), shown())
        // Both have it.
        create("Cy Lee", "+1 415 555 2671")
        assertEquals(2, shown().size)
        val bob = book.askObject("contacts") { put("query", "bob") }.getJSONArray("contacts").getJSONObject(0)
        aboutNumber(bob.getString("id"), R.string.mark_shared) { book.askObject("status").getInt("unpushed") > 0 }
        assertEquals(listOf("Ann Lee: ", "Bob Lee: +1 415 555 2671", "Cy Lee: +1 415 555 2671"), shown())
        other.close()
    }

    private companion object {
        val PASSWORD = Regex("[a-z2-9]{4}(-[a-z2-9]{4}){3}")
    }
}
