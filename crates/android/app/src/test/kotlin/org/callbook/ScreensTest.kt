package org.callbook

import android.accounts.Account
import android.accounts.AccountManager
import android.app.Activity
import android.content.ContentResolver
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Build
import android.provider.CallLog
import android.provider.ContactsContract
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import java.io.File
import org.callbook.account.Books
import org.callbook.provider.FakeCallLog
import org.callbook.sync.CALLS_AUTHORITY
import org.callbook.sync.Permissions
import org.callbook.sync.Sync
import org.callbook.sync.Syncing
import org.callbook.ui.ChoicesActivity
import org.callbook.ui.ContactActivity
import org.callbook.ui.DeletedActivity
import org.callbook.ui.HelpActivity
import org.callbook.ui.LogActivity
import org.callbook.ui.MainActivity
import org.callbook.ui.PrivateActivity
import org.callbook.ui.SignInActivity
import org.callbook.ui.TeamActivity
import org.json.JSONObject
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/**
 * Each screen with real data, in light and dark, from right to left, in German and with large letters: nothing that may be
 * tapped is too small or has no name, nothing reaches beyond the screen, and each has a title and a heading. With `callbook.screens` they are kept as PNG.
 */
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(qualifiers = "w360dp-h740dp-port-xhdpi")
class ScreensTest : AppTest() {
    private lateinit var calls: FakeCallLog
    private lateinit var other: OtherPhone
    private lateinit var account: Account

    @Before
    fun phone() {
        calls = Robolectric.buildContentProvider(FakeCallLog::class.java).create(CallLog.AUTHORITY).get()
        grant(*(Permissions.CONTACTS + Permissions.CALLS).toTypedArray())
        account = named("ann@book.example.com", signIn())
        Script(server).addUser("mia")
        other = OtherPhone(server, "mia")
        NAMES.forEachIndexed { at, name -> other.create(name, number(at)) }
        other.sync()
        val book = PhoneBook(app.contentResolver)
        book.save(account, "A. Lee", number(0), note = "Met at the fair")
        book.save(Account("ann@example.org", "com.google"), "Gus Hall", "415-555-0188")
        book.save(null, "Dee Moss", "415-555-0177")
        val now = System.currentTimeMillis()
        for (at in NAMES.indices) {
            val seconds = if (at % 3 == 2) 0 else 40 + 61 * at
            calls.call(number(at), now - 5 * 3_600_000L * at, type = 1 + at % 3, duration = seconds)
        }
        calls.call(null, now - 1_800_000)
        Syncing.run(app, account, Sync(app, account))
        other.sync()
        other.edit(other.id("Ann Lee"), "Ann Miller-Lee")
        other.sync()
        assertTrue(Syncing.run(app, account, Sync(app, account)).wentWell)
        for (name in listOf("Old Supplier", "Pat Doe")) {
            val id = other.create(name, "+1 415 555 ${name.length}000")
            other.sync()
            other.ask("delete") { put("id", id) }
            other.sync()
        }
        val private = JSONObject(
            """{"entries":["Dr. Bloom"],
                "hours":[{"days":[true,true,true,true,true,false,false],"from":1080,"to":480}]}""",
        )
        val library = Books.of(app, account)
        library.ask("set_settings") { put("settings", library.askObject("settings").put("private", private)) }
    }

    /** The server of tests is on this machine, which no picture should say. */
    private fun named(name: String, account: Account): Account {
        val manager = AccountManager.get(app)
        val data = listOf("key", "server", "user").associateWith { manager.getUserData(account, it) }
        manager.removeAccountExplicitly(account)
        val renamed = Account(name, account.type)
        manager.addAccountExplicitly(renamed, null, null)
        data.forEach { (key, value) -> manager.setUserData(renamed, key, value) }
        for (authority in listOf(ContactsContract.AUTHORITY, CALLS_AUTHORITY)) {
            ContentResolver.setSyncAutomatically(renamed, authority, true)
        }
        return renamed
    }

    @After
    fun close() {
        other.close()
        calls.shutdown()
    }

    private fun number(at: Int) = "+1 415 555 ${2671 + 37 * at}"

    private fun tab(at: Int) = MainActivity.intent(app, account, at)

    /** Each screen, and how it is known that what it shows in the background is there. */
    private fun all(draw: (String, Activity) -> Unit) {
        fun <A : Activity> screen(name: String, kind: Class<A>, intent: Intent, isThere: (A) -> Boolean = { true }) {
            Robolectric.buildActivity(kind, intent).setup().use { controller ->
                await(name) { isThere(controller.get()) }
                repeat(5) { idle(); Thread.sleep(20) }
                draw(name, controller.get())
            }
        }
        fun rows(activity: Activity, id: Int) = activity.findViewById<ViewGroup>(id)?.childCount ?: 0
        fun list(activity: Activity) = activity.findViewById<android.widget.ListView>(R.id.list)?.adapter?.count ?: 0
        fun by(activity: Activity) = rows(activity, R.id.duplicates) == 1 &&
            "mia" in activity.findViewById<ViewGroup>(R.id.duplicates).findViewById<TextView>(R.id.line2).text
        screen("sign-in", SignInActivity::class.java, SignInActivity.intent(app, null))
        screen("choices", ChoicesActivity::class.java, ChoicesActivity.intent(app, account)) { rows(it, R.id.accounts) == 2 }
        screen("overview", MainActivity::class.java, tab(0)) { by(it) }
        screen("book", MainActivity::class.java, tab(1)) { list(it) == NAMES.size + 2 }
        screen("calls", MainActivity::class.java, tab(2)) { list(it) > NAMES.size }
        screen("settings", MainActivity::class.java, tab(3)) { rows(it, R.id.accounts) == 2 }
        val contact = ContactActivity.intent(app, account, other.id("Ann Miller-Lee"))
        screen("contact", ContactActivity::class.java, contact) { rows(it, R.id.parts) > 5 }
        screen("deleted", DeletedActivity::class.java, DeletedActivity.intent(app, account)) { list(it) == 2 }
        screen("team", TeamActivity::class.java, TeamActivity.intent(app, account)) { rows(it, R.id.users) == 2 }
        screen("private", PrivateActivity::class.java, PrivateActivity.intent(app, account)) { activity ->
            rows(activity, R.id.hours) > 0
        }
        screen("log", LogActivity::class.java, LogActivity.intent(app, account)) { text(it, R.id.log).isNotEmpty() }
        screen("help", HelpActivity::class.java, Intent(app, HelpActivity::class.java))
    }

    private fun look(variant: String, isDark: Boolean = false) {
        var drawn = 0
        all { name, activity ->
            val picture = draw(activity)
            assertEquals("$name: the page is ${if (isDark) "dark" else "light"}", isDark, luminance(picture.getPixel(picture.width / 2, 2)) < 0.5)
            val faults = faults(activity.window.decorView) + faultsOfNames(activity)
            assertEquals("$variant/$name", emptyList<String>(), faults)
            System.getProperty("callbook.screens")?.takeIf(String::isNotEmpty)?.let { folder ->
                val older = if (Build.VERSION.SDK_INT < 34) "-${Build.VERSION.SDK_INT}" else ""
                val file = File(folder, "$variant$older/$name.png").apply { parentFile!!.mkdirs() }
                file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
            }
            drawn++
        }
        assertEquals(12, drawn)
    }

    private fun draw(activity: Activity): Bitmap {
        val metrics = activity.resources.displayMetrics
        val decor = activity.window.decorView
        fun exactly(pixels: Int) = View.MeasureSpec.makeMeasureSpec(pixels, View.MeasureSpec.EXACTLY)
        decor.measure(exactly(metrics.widthPixels), exactly(metrics.heightPixels))
        decor.layout(0, 0, metrics.widthPixels, metrics.heightPixels)
        val picture = Bitmap.createBitmap(metrics.widthPixels, metrics.heightPixels, Bitmap.Config.ARGB_8888)
        decor.jumpDrawablesToCurrentState()
        decor.draw(Canvas(picture))
        return picture
    }

    private fun luminance(color: Int): Float = android.graphics.Color.luminance(color)

    /** What a finger or a screen reader would stumble on. */
    private fun faults(root: View): List<String> {
        val density = root.resources.displayMetrics.density
        val faults = ArrayList<String>()
        fun visit(view: View) {
            if (view.visibility != View.VISIBLE) return
            val name = runCatching { view.resources.getResourceEntryName(view.id) }.getOrDefault(view.javaClass.simpleName)
            val (left, _) = IntArray(2).also(view::getLocationInWindow)
            if (left < 0 || left + view.width > root.width) faults += "$name reaches beyond the screen"
            if (view.isClickable && view.isEnabled && view !is android.widget.AbsListView) {
                if (view.height < 48 * density - 1) faults += "$name is ${view.height / density} dp high"
                if (words(view).isBlank()) faults += "$name has no name"
            }
            if (view is ViewGroup) for (at in 0 until view.childCount) visit(view.getChildAt(at))
        }
        visit(root)
        return faults
    }

    /** A screen reader tells a screen's title when it opens, and goes from heading to heading. */
    private fun faultsOfNames(activity: Activity): List<String> {
        fun headings(view: View): Int {
            if (view.visibility != View.VISIBLE) return 0
            val below = if (view is ViewGroup) (0 until view.childCount).sumOf { headings(view.getChildAt(it)) } else 0
            return below + if (view.isAccessibilityHeading && words(view).isNotBlank()) 1 else 0
        }
        val hasTitle = activity.title.isNotBlank() && activity.title != app.getString(R.string.app_name)
        // Views say that they are headings since Android 9.
        val hasHeading = Build.VERSION.SDK_INT < 28 || headings(activity.window.decorView) > 0
        return listOfNotNull("no title".takeUnless { hasTitle }, "no heading".takeUnless { hasHeading })
    }

    /** What a screen reader says of it. */
    private fun words(view: View): String {
        view.contentDescription?.let { return it.toString() }
        if (view is ViewGroup) return (0 until view.childCount).joinToString("") { words(view.getChildAt(it)) }
        val text = (view as? TextView)?.let { it.text.ifEmpty { it.hint ?: "" } }
        return text?.toString()?.ifEmpty { null } ?: label(view)
    }

    /** What a label says that is for this view. */
    private fun label(view: View): String = (view.rootView as ViewGroup).let { root ->
        val labels = ArrayList<View>()
        fun collect(at: View) {
            if (at.labelFor == view.id && view.id != View.NO_ID) labels += at
            if (at is ViewGroup) for (n in 0 until at.childCount) collect(at.getChildAt(n))
        }
        collect(root)
        labels.joinToString("") { (it as? TextView)?.text.toString() }
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun light() = look("light")

    @Test
    @Config(qualifiers = "w360dp-h740dp-port-night-xhdpi")
    fun dark() = look("dark", isDark = true)

    @Test
    @Config(qualifiers = "ar-ldrtl-w360dp-h740dp-port-xhdpi")
    fun `from right to left`() = look("rtl")

    @Test
    @Config(qualifiers = "de-w360dp-h740dp-port-xhdpi")
    fun german() = look("german")

    @Test
    @Config(fontScale = 1.6f)
    fun `large letters`() = look("large")

    private companion object {
        val NAMES = listOf(
            "Ann Lee", "Bob Ray", "Chris Dahl", "Dana Whitfield", "Eli Stone", "Farah Nasser", "Gwen Ortiz", "Hiro Tanaka",
            "Ivy Bell", "Jonas Weber", "Kim Larsen", "Lena Fischer", "Mo Haddad", "Nora Quinn",
        )
    }
}
