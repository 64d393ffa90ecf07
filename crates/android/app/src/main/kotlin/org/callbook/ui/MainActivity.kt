package org.callbook.ui

import android.accounts.Account
import android.app.AlertDialog
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Bundle
import android.provider.Settings
import android.view.Gravity
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.FrameLayout
import android.widget.LinearLayout
import android.widget.TextView
import org.callbook.R
import org.callbook.account.Accounts
import org.callbook.account.Notes
import org.callbook.sync.SyncState

/** One of the main screen's tabs. */
abstract class Tab(protected val main: MainActivity, layout: Int, val title: Int, val icon: Int) {
    val view: View = LayoutInflater.from(main).inflate(layout, null)

    /** It is to show how things stand now: it has come to sight. */
    abstract fun refresh()

    /** A sync has got on. */
    open fun onSync() = Unit
}

/** The account that is looked at, in tabs. */
class MainActivity : Page() {
    lateinit var account: Account
        private set
    lateinit var tabs: List<Tab>
        private set
    private var shown = 0
    private val onSync = { if (!isDestroyed) tabs[shown].onSync() }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        val accounts = Accounts.all(this)
        if (accounts.isEmpty()) {
            startActivity(SignInActivity.intent(this, null))
            return finish()
        }
        val name = state?.getString(ACCOUNT) ?: intent.getStringExtra(ACCOUNT)
        account = accounts.firstOrNull { it.name == name } ?: accounts.first()
        if (!Notes.of(this, account).hasChosen) startActivity(ChoicesActivity.intent(this, account))
        setContentView(R.layout.main)
        tabs = listOf(DashboardTab(this), BookTab(this), CallsTab(this), SettingsTab(this))
        tabs.forEachIndexed { at, tab -> addButton(at, tab) }
        findViewById<TextView>(R.id.account).apply {
            text = account.name
            if (accounts.size > 1) setOnClickListener { choose(accounts) }
        }
        show(state?.getInt(SHOWN) ?: intent.getIntExtra(SHOWN, 0))
    }

    private fun addButton(at: Int, tab: Tab) {
        val button = TextView(this).apply {
            setText(tab.title)
            gravity = Gravity.CENTER
            textSize = 12f
            maxLines = 1
            setCompoundDrawablesRelativeWithIntrinsicBounds(0, tab.icon, 0, 0)
            val space = (8 * resources.displayMetrics.density).toInt()
            setPadding(0, space, 0, space)
            minHeight = 7 * space
            setOnClickListener { show(at) }
        }
        val bar = findViewById<LinearLayout>(R.id.tabs)
        bar.addView(button, LinearLayout.LayoutParams(0, ViewGroup.LayoutParams.MATCH_PARENT, 1f))
        bar.showIf(bar.childCount > 1)
    }

    fun show(at: Int) {
        shown = at.coerceIn(tabs.indices)
        val tab = tabs[shown]
        findViewById<FrameLayout>(R.id.content).apply {
            removeAllViews()
            addView(tab.view)
        }
        setTitle(tab.title)
        findViewById<TextView>(R.id.title).setText(tab.title)
        val bar = findViewById<LinearLayout>(R.id.tabs)
        for (other in 0 until bar.childCount) (bar.getChildAt(other) as TextView).apply {
            isSelected = other == shown
            val color = getColor(if (isSelected) R.color.brand else R.color.ink_soft)
            setTextColor(color)
            compoundDrawableTintList = android.content.res.ColorStateList.valueOf(color)
        }
        tab.refresh()
    }

    private fun choose(accounts: List<Account>) {
        AlertDialog.Builder(this).setItems(accounts.map { it.name }.toTypedArray()) { _, at ->
            startActivity(intent(this, accounts[at]))
            finish()
        }.show()
    }

    override fun onResume() {
        super.onResume()
        if (isFinishing) return
        SyncState.listen(onSync)
        tabs[shown].refresh()
    }

    override fun onPause() {
        super.onPause()
        SyncState.forget(onSync)
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        if (isFinishing) return
        state.putString(ACCOUNT, account.name)
        state.putInt(SHOWN, shown)
    }

    override fun onRequestPermissionsResult(code: Int, names: Array<out String>, results: IntArray) {
        // Refused twice, Android asks no more, and says no at once.
        val isFinal = names.zip(results.asIterable()).any { (name, result) ->
            result != PackageManager.PERMISSION_GRANTED && !shouldShowRequestPermissionRationale(name)
        }
        if (code == ALLOW && isFinal) openAppSettings()
        tabs[shown].refresh()
    }

    /** Android's own page of this app, with its permissions and what it may do in the background. */
    fun openAppSettings() = open(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, ofThisApp()))

    /** Android asks whether syncs may run while the phone sleeps. */
    fun askForBattery() = open(Intent(Settings.ACTION_REQUEST_IGNORE_BATTERY_OPTIMIZATIONS, ofThisApp()))

    fun ofThisApp(): Uri = Uri.fromParts("package", packageName, null)

    companion object {
        private const val ACCOUNT = "account"
        private const val SHOWN = "shown"

        /** The code of a request for permissions that the user has tapped on. */
        const val ALLOW = 2

        fun intent(context: Context, account: Account? = null, tab: Int = 0): Intent =
            Intent(context, MainActivity::class.java).putExtra(ACCOUNT, account?.name).putExtra(SHOWN, tab)
    }
}
