package org.callbook.ui

import android.content.Context
import android.util.AttributeSet
import android.view.MotionEvent
import android.view.ViewConfiguration
import android.widget.FrameLayout

/** Around a list: pulled down from its top, it syncs. (A button says the same, for those who cannot pull.) */
class PullToSync(context: Context, attributes: AttributeSet?) : FrameLayout(context, attributes) {
    var onPull: () -> Unit = {}

    private val slop = ViewConfiguration.get(context).scaledTouchSlop
    private val enough = 96 * resources.displayMetrics.density
    private var from = 0f

    override fun onInterceptTouchEvent(event: MotionEvent): Boolean {
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> from = event.y
            MotionEvent.ACTION_MOVE -> return event.y - from > slop && !getChildAt(0).canScrollVertically(-1)
        }
        return false
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        val pulled = (event.y - from).coerceAtLeast(0f)
        when (event.actionMasked) {
            MotionEvent.ACTION_MOVE -> getChildAt(0).translationY = pulled / 3
            MotionEvent.ACTION_UP -> {
                getChildAt(0).animate().translationY(0f)
                if (pulled > enough) onPull()
            }
            MotionEvent.ACTION_CANCEL -> getChildAt(0).animate().translationY(0f)
        }
        return true
    }
}
