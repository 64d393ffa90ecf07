package org.callbook.ui

import android.accounts.Account
import android.app.AlertDialog
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.view.LayoutInflater
import android.view.View
import android.view.WindowManager
import android.widget.CheckBox
import android.widget.EditText
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.TextView
import java.security.SecureRandom
import java.time.Instant
import org.callbook.account.account
import org.callbook.R
import org.callbook.account.Accounts
import org.callbook.account.Api
import org.callbook.account.objects
import org.callbook.account.text
import org.json.JSONObject

/** The team's users and devices. Members see their own devices; users are an admin's. */
class TeamActivity : Page() {
    private lateinit var account: Account
    private val api by lazy { Api(this, account) }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        account = intent.account(ACCOUNT) ?: return finish()
        setContentView(R.layout.team)
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        findViewById<View>(R.id.add).setOnClickListener { askNewUser() }
        load()
    }

    private class Team(val isAdmin: Boolean, val users: List<JSONObject>, val devices: List<JSONObject>)

    private fun load() = inBackground({
        try {
            val isAdmin = api.get("/me").getJSONObject("user").getString("role") == "admin"
            val users = if (isAdmin) api.get("/users").getJSONArray("users").objects() else emptyList()
            val devices = api.get("/devices").getJSONArray("devices").objects().filter { it.isNull("ended_at") }
            Team(isAdmin, users, devices) to null
        } catch (e: Api.Refused) {
            null to e.code
        }
    }) { (team, code) ->
        findViewById<TextView>(R.id.trouble).apply {
            text = code?.let { Words.refused(this@TeamActivity, it) }
            showIf(code != null)
        }
        if (team != null) show(team)
    }

    private fun show(team: Team) {
        for (id in listOf(R.id.add, R.id.users_title, R.id.users)) findViewById<View>(id).showIf(team.isAdmin)
        fill(R.id.users, team.users.map { user ->
            val role = getString(if (user.getString("role") == "admin") R.string.admin else R.string.member)
            val state = getString(R.string.disabled).takeIf { user.getBoolean("disabled") }
            Row(user.getString("username"), listOfNotNull(role, state).joinToString(", ")) { userMenu(user) }
        })
        fill(R.id.devices, team.devices.map { device ->
            val last = device.text("last_sync_at")?.let { getString(R.string.device_last_sync, Times.ago(this, Instant.parse(it))) }
            val words = listOfNotNull(device.text("username"), device.text("platform"), last).joinToString(", ")
            Row(device.getString("name"), words) { askEnd(device) }
        })
    }

    private class Row(val line1: String, val line2: String, val open: () -> Unit)

    private fun fill(id: Int, rows: List<Row>) = findViewById<LinearLayout>(id).run {
        removeAllViews()
        for (row in rows) {
            val view = LayoutInflater.from(context).inflate(R.layout.row, this, false)
            view.findViewById<TextView>(R.id.line1).text = row.line1
            view.findViewById<TextView>(R.id.line2).text = row.line2
            view.setOnClickListener { row.open() }
            addView(view)
        }
    }

    private fun userMenu(user: JSONObject) {
        val path = "/users/${user.getString("id")}"
        val isDisabled = user.getBoolean("disabled")
        val isAdmin = user.getString("role") == "admin"
        val choices = listOf(
            R.string.new_password to { giveNewPassword(user) },
            (if (isDisabled) R.string.enable else R.string.disable) to { patch(path, JSONObject().put("disabled", !isDisabled)) },
            (if (isAdmin) R.string.make_member else R.string.make_admin) to
                { patch(path, JSONObject().put("role", if (isAdmin) "member" else "admin")) },
        )
        AlertDialog.Builder(this).setTitle(user.getString("username"))
            .setItems(choices.map { getString(it.first) }.toTypedArray()) { _, at -> choices[at].second() }.show()
    }

    private fun patch(path: String, change: JSONObject) = change({ api.patch(path, change) }) { load() }

    private fun askEnd(device: JSONObject) {
        AlertDialog.Builder(this).setTitle(device.getString("name")).setMessage(R.string.end_device_text)
            .setPositiveButton(R.string.end_device) { _, _ ->
                change({ api.delete("/devices/${device.getString("id")}") }) { load() }
            }
            .setNegativeButton(android.R.string.cancel, null).show()
    }

    private fun askNewUser() {
        val view = LayoutInflater.from(this).inflate(R.layout.new_user, null)
        AlertDialog.Builder(this).setTitle(R.string.add_user).setView(view)
            .setPositiveButton(R.string.add) { _, _ ->
                val name = view.findViewById<EditText>(R.id.user).text.toString().trim()
                val isAdmin = view.findViewById<CheckBox>(R.id.is_admin).isChecked
                if (name.isNotEmpty()) addUser(name, isAdmin)
            }
            .setNegativeButton(android.R.string.cancel, null).show()
    }

    /** With a password that is made up here, and shown once. */
    fun addUser(name: String, isAdmin: Boolean) {
        val password = newPassword()
        val role = if (isAdmin) "admin" else "member"
        change({ api.post("/users", JSONObject().put("username", name).put("password", password).put("role", role)) }) {
            showSignIn(name, password)
            load()
        }
    }

    private fun giveNewPassword(user: JSONObject) {
        val password = newPassword()
        change({ api.patch("/users/${user.getString("id")}", JSONObject().put("password", password)) }) {
            showSignIn(user.getString("username"), password)
        }
    }

    private fun change(work: () -> Unit, then: () -> Unit) = inBackground({
        try {
            work()
            null
        } catch (e: Api.Refused) {
            e.code
        }
    }) { code -> if (code == null) then() else say(Words.refused(this, code)) }

    /** The link by which the user signs in, as a QR code for the camera of their phone. In no screenshot. */
    fun showSignIn(user: String, password: String) {
        val link = Uri.Builder().scheme("callbook").authority("sign-in")
            .appendQueryParameter("server", Accounts.server(this, account))
            .appendQueryParameter("user", user).appendQueryParameter("password", password).build()
        val view = LayoutInflater.from(this).inflate(R.layout.sign_in_code, null)
        view.findViewById<ImageView>(R.id.code).setImageBitmap(Qr.draw(link.toString(), QR_PIXELS))
        view.findViewById<TextView>(R.id.words).text = getString(R.string.sign_in_code_text, user, password)
        AlertDialog.Builder(this).setTitle(R.string.sign_in_code).setView(view)
            .setPositiveButton(android.R.string.ok, null).show()
            .window?.setFlags(WindowManager.LayoutParams.FLAG_SECURE, WindowManager.LayoutParams.FLAG_SECURE)
    }

    companion object {
        private const val ACCOUNT = "account"
        private const val QR_PIXELS = 720

        /** Without what is easily misread. */
        private const val LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"

        /** 80 bits. */
        private fun newPassword(): String {
            val chance = SecureRandom()
            return (1..16).map { LETTERS[chance.nextInt(LETTERS.length)] }.chunked(4).joinToString("-") { it.joinToString("") }
        }

        fun intent(context: Context, account: Account): Intent =
            Intent(context, TeamActivity::class.java).putExtra(ACCOUNT, account)
    }
}
