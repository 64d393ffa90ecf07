package org.callbook.ui

import android.os.Bundle
import android.view.View
import org.callbook.R

/** What to do on phones whose makers end apps that nobody looks at. */
class HelpActivity : Page() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.help)
        findViewById<View>(R.id.back).setOnClickListener { finish() }
    }
}
