package org.callbook

import android.accounts.Account
import android.view.ViewGroup
import android.widget.TextView
import org.callbook.account.Api
import org.callbook.account.Books
import org.callbook.sync.Permissions
import org.callbook.ui.MainActivity
import org.junit.Before
import org.robolectric.Robolectric

/** A phone that is signed in, whose user looks at the screens. */
abstract class UsedPhone : AppTest() {
    protected lateinit var account: Account
    protected val book get() = Books.of(app, account)

    @Before
    fun phone() {
        grant(*Permissions.CONTACTS.toTypedArray())
        account = signIn()
        Api.setMethod = Script.Companion::setMethod
    }

    protected fun create(name: String, number: String): String = book.ask("create") {
        put("edit", org.json.JSONObject("""{"set":{"name":"$name"},"add":{"phones":[{"number":"$number"}]}}"""))
    } as String

    protected fun <T> main(tab: Int, use: (MainActivity) -> T): T =
        Robolectric.buildActivity(MainActivity::class.java, MainActivity.intent(app, account, tab)).setup().use { use(it.get()) }

    protected fun settings() = book.askObject("settings")

    /** What the rows of a screen's list say. */
    protected fun rows(list: ViewGroup): List<String> = (0 until list.childCount).map { at ->
        val row = list.getChildAt(at)
        listOf(R.id.line1, R.id.line2).mapNotNull { row.findViewById<TextView>(it)?.text }.joinToString(": ")
            .ifEmpty { (row as TextView).text.toString() }
    }
}
