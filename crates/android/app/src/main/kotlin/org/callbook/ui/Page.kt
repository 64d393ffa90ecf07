package org.callbook.ui

import android.app.Activity
import android.os.Build
import android.os.Bundle
import android.view.View
import android.view.ViewGroup

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

    /** What came of work in the background is of no use to a screen that is gone. */
    fun <T> inBackground(work: () -> T, then: (T) -> Unit) =
        org.callbook.Work.run(work) { if (!isDestroyed) then(it) }
}

fun View.showIf(isShown: Boolean) {
    visibility = if (isShown) View.VISIBLE else View.GONE
}
