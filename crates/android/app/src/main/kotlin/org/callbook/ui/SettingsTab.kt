package org.callbook.ui

import android.app.AlertDialog
import android.content.Intent
import android.os.Build
import android.os.PowerManager
import android.view.View
import android.widget.Button
import android.widget.Switch
import org.callbook.R
import org.callbook.account.Books
import org.callbook.account.Leaving
import org.callbook.account.Notes
import org.callbook.engine.CallbookException
import org.callbook.sync.Notifications
import org.callbook.sync.Schedule

/** What the user may choose for one account, and what takes a phone out of trouble. */
class SettingsTab(main: MainActivity) : Tab(main, R.layout.settings, R.string.settings, R.drawable.ic_settings) {
    private fun <T : View> find(id: Int): T = view.findViewById(id)

    private val choices = Choices(main, view, main.account)
    private val interval: Button = find(R.id.interval)
    private val wifiOnly: Switch = find(R.id.wifi_only)

    init {
        interval.setOnClickListener { chooseInterval() }
        wifiOnly.setOnClickListener {
            Notes.of(main, main.account).wifiOnly = wifiOnly.isChecked
            main.inBackground({ Schedule.networks(main, main.account) }) {}
        }
        find<Button>(R.id.save).setOnClickListener { save() }
        find<Button>(R.id.private_things).setOnClickListener {
            main.startActivity(PrivateActivity.intent(main, main.account))
        }
        find<Button>(R.id.battery).setOnClickListener { askBattery() }
        find<Button>(R.id.hibernation).apply {
            setOnClickListener { askHibernation() }
        }
        find<Button>(R.id.help).setOnClickListener { main.startActivity(Intent(main, HelpActivity::class.java)) }
        find<Button>(R.id.log).setOnClickListener { main.startActivity(LogActivity.intent(main, main.account)) }
        find<Button>(R.id.team).setOnClickListener { main.startActivity(TeamActivity.intent(main, main.account)) }
        find<Button>(R.id.add_account).setOnClickListener { main.startActivity(SignInActivity.intent(main, null)) }
        find<Button>(R.id.rebuild).setOnClickListener { ask(R.string.rebuild, R.string.rebuild_text, ::rebuild) }
        find<Button>(R.id.sign_out).setOnClickListener { ask(R.string.sign_out, R.string.sign_out_text, ::signOut) }
        choices.load()
    }

    override fun refresh() {
        wifiOnly.isChecked = Notes.of(main, main.account).wifiOnly
        val power = main.getSystemService(PowerManager::class.java)
        find<Button>(R.id.battery).showIf(!power.isIgnoringBatteryOptimizations(main.packageName))
        find<Button>(R.id.hibernation).showIf(Build.VERSION.SDK_INT >= 30 && !main.packageManager.isAutoRevokeWhitelisted)
        main.inBackground({
            try {
                Books.of(main, main.account).askObject("settings").let { if (it.isNull("interval")) 0 else it.getInt("interval") }
            } catch (_: CallbookException) {
                null // the overview says why
            }
        }) { minutes -> if (minutes != null) interval.text = main.getString(R.string.interval, words(minutes)) }
    }

    private fun words(minutes: Int): String = when {
        minutes == 0 -> main.getString(R.string.never)
        minutes < 60 -> main.resources.getQuantityString(R.plurals.minutes, minutes, minutes)
        else -> main.resources.getQuantityString(R.plurals.hours, minutes / 60, minutes / 60)
    }

    private fun chooseInterval() {
        AlertDialog.Builder(main).setTitle(R.string.interval_title)
            .setItems(INTERVALS.map(::words).toTypedArray()) { _, at -> setInterval(INTERVALS[at]) }.show()
    }

    /** In minutes; 0 is never. */
    fun setInterval(minutes: Int) = main.inBackground({
        val book = Books.of(main, main.account)
        val settings = book.askObject("settings").put("interval", minutes.takeIf { it > 0 } ?: org.json.JSONObject.NULL)
        book.ask("set_settings") { put("settings", settings) }
        Schedule.periodic(main, main.account)
    }) { refresh() }

    private fun save() {
        val missing = choices.missing()
        if (missing.isNotEmpty()) main.requestPermissions(missing.toTypedArray(), 1)
        choices.save {
            main.say(R.string.saved)
            Schedule.now(main, main.account)
            main.inBackground({ Schedule.changes(main) }) {}
        }
    }

    /** Android then lets syncs run while the phone sleeps. Asked for with its reason, and of use without. */
    private fun askBattery() = ask(R.string.battery, R.string.battery_text, main::askForBattery)

    /** Android then leaves its permissions, however long nobody opens it. */
    private fun askHibernation() = ask(R.string.hibernation, R.string.hibernation_text) {
        main.open(Intent(Intent.ACTION_AUTO_REVOKE_PERMISSIONS, main.ofThisApp()))
    }

    private fun ask(title: Int, text: Int, then: () -> Unit) {
        AlertDialog.Builder(main).setTitle(title).setMessage(text)
            .setPositiveButton(title) { _, _ -> then() }
            .setNegativeButton(android.R.string.cancel, null).show()
    }

    private fun rebuild() = main.inBackground({
        try {
            Books.rebuild(main, main.account)
            Schedule.first(main, main.account)
            null
        } catch (e: CallbookException) {
            e.code
        }
    }) { code -> main.say(code?.let { Words.failure(main, it) } ?: main.getString(R.string.will_be_synced)) }

    private fun signOut() {
        Notifications.forget(main, main.account)
        Leaving.leave(main, main.account)
        main.startActivity(MainActivity.intent(main))
        main.finish()
    }

    private companion object {
        /** In minutes: what the library takes, from 15 to a day; 0 is never. */
        val INTERVALS = listOf(15, 30, 60, 120, 240, 720, 1_440, 0)
    }
}
