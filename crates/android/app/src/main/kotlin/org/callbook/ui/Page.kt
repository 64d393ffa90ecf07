package org.callbook.ui

import android.accounts.Account
import android.app.Activity
import android.os.Build
import android.os.Bundle
import android.text.Editable
import android.text.TextWatcher
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.Toast
import java.io.IOException
import org.callbook.R
import org.callbook.Work
import org.callbook.account.Api
import org.callbook.engine.CallbookException
import org.callbook.sync.Schedule
import org.json.JSONObject

/** A screen that reaches from edge to edge, and keeps what it shows out from under the bars and the keyboard. */
abstract class Page : Activity() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        if (Build.VERSION.SDK_INT >= 30) {
            window.setDecorFitsSystemWindows(false)
        } else {
            @Suppress("DEPRECATION") // the way before Android 11
            window.decorView.systemUiVisibility = window.decorView.systemUiVisibility or
                View.SYSTEM_UI_FLAG_LAYOUT_STABLE or View.SYSTEM_UI_FLAG_LAYOUT_FULLSCREEN
        }
    }

    override fun setContentView(layout: Int) {
        super.setContentView(layout)
        val content = (findViewById<ViewGroup>(android.R.id.content)).getChildAt(0)
        content.setOnApplyWindowInsetsListener { view, insets ->
            @Suppress("DEPRECATION") // the one way that every version has
            view.setPadding(
                insets.systemWindowInsetLeft, insets.systemWindowInsetTop,
                insets.systemWindowInsetRight, insets.systemWindowInsetBottom,
            )
            insets
        }
    }

    /** Another app's screen, if there is one. */
    fun open(intent: android.content.Intent) = try {
        startActivity(intent)
    } catch (_: android.content.ActivityNotFoundException) {
        say(R.string.no_app)
    }

    fun say(words: Int) = say(getString(words))

    fun say(words: String) = Toast.makeText(this, words, Toast.LENGTH_LONG).show()

    /**
     * What came of work in the background is of no use to a screen that is gone. When the library refuses, the user is
     * told, and [then] is not called.
     */
    fun <T> inBackground(work: () -> T, then: (T) -> Unit) = Work.run({
        try {
            Result.success(work())
        } catch (e: CallbookException) {
            Result.failure(e)
        } catch (e: IOException) {
            Result.failure(CallbookException("storage_full", e.toString()))
        }
    }) { result ->
        if (isDestroyed) return@run
        result.onSuccess(then).onFailure { say(Words.failure(this, (it as CallbookException).code)) }
    }

    /** Changes a contact on the server (`POST /contacts/{id}/{what}`) and says what came of it; [then] in any case. */
    fun changeContact(account: Account, id: String, what: String, body: JSONObject, then: () -> Unit) = inBackground({
        try {
            Api(this, account).post("/contacts/$id/$what", body)
            Schedule.now(this, account)
            null
        } catch (e: Api.Refused) {
            e.code
        }
    }) { code ->
        say(code?.let { Words.refused(this, it) } ?: getString(R.string.will_be_synced))
        then()
    }
}

/** [then] after each change of what is typed there. */
fun EditText.onTyped(then: () -> Unit) = addTextChangedListener(object : TextWatcher {
    override fun afterTextChanged(text: Editable) = then()
    override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) = Unit
    override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) = Unit
})

fun View.showIf(isShown: Boolean) {
    visibility = if (isShown) View.VISIBLE else View.GONE
}
