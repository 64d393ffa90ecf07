package org.callbook.account

import android.accounts.Account
import android.content.Context
import android.os.Build
import android.provider.Settings
import android.telephony.TelephonyManager
import java.io.IOException
import java.util.Locale
import org.callbook.engine.CallbookException
import org.json.JSONObject

/** Signing in: one request, and an account when it was right. Asked in the background. */
object SignIn {
    /** @property code what the screen looks its words up by; `null` when it went well. */
    class Outcome(val account: Account?, val code: String?)

    /** A new account, or the one of that name again. */
    fun add(context: Context, server: String, user: String, password: String): Outcome {
        val account = Account(Accounts.name(user, server), Accounts.TYPE)
        if (account in Accounts.all(context)) return again(context, account, password)
        val book = try {
            Books.new(context, server)
        } catch (e: CallbookException) {
            return Outcome(null, e.code)
        }
        val code = attempt(context, book, user, password) ?: when {
            Accounts.add(context, account, book.key, server, user) -> null
            else -> "account_exists"
        }
        if (code != null) Books.drop(book) else Books.keep(book)
        return Outcome(account.takeIf { code == null }, code)
    }

    /** The session of an account has ended. Its user signs in, and it goes on where it was. */
    fun again(context: Context, account: Account, password: String): Outcome = try {
        val book = Books.of(context, account)
        val code = attempt(context, book, Accounts.user(context, account).orEmpty(), password)
        if (code == null) Notes.of(context, account).isMadeAnew = false
        Outcome(account.takeIf { code == null }, code)
    } catch (e: CallbookException) {
        Outcome(null, e.code)
    }

    private fun attempt(context: Context, book: Book, user: String, password: String): String? {
        book.syncing.lock()
        return try {
            book.ask("set_region") { put("region", region(context)) }
            book.ask("sign_in") {
                put("username", user).put("password", password)
                put("device", deviceName(context)).put("platform", "Android ${Build.VERSION.RELEASE}")
            }
            untilSignedIn(book)
        } catch (e: CallbookException) {
            e.code
        } catch (_: IOException) {
            "storage_full"
        } finally {
            book.syncing.unlock()
        }
    }

    /** Takes the steps of a sync that belong to signing in. The sync is left where it is: the next begins anew. */
    private fun untilSignedIn(book: Book): String? {
        var next = book.askObject("begin")
        while (true) {
            if (next.getString("next") == "done") {
                next.text("sign_in")?.let { return it }
                next.text("failure")?.let { return it }
                return if (book.isSignedIn) null else problem(book)
            }
            // Nothing of the phone is read before its user has chosen what.
            next = when (next.getString("next")) {
                "phone" -> book.askObject("step") { put("phone", Given.refused()) }
                "calls" -> book.askObject("step") { put("calls", org.json.JSONArray()) }
                else -> book.askObject("step")
            }
            if (book.isSignedIn) return null
        }
    }

    private fun problem(book: Book): String {
        val refused = book.askObject("status").optJSONObject("problem")?.text("refused")
        return if (refused == null) "try_later" else "not_callbook"
    }

    /** Where numbers without a country code are at home. */
    fun region(context: Context): String {
        val phone = context.getSystemService(TelephonyManager::class.java)
        val candidates = listOf(phone?.simCountryIso, phone?.networkCountryIso, Locale.getDefault().country)
        return candidates.firstOrNull { !it.isNullOrEmpty() }.orEmpty().uppercase(Locale.ROOT)
    }

    private fun deviceName(context: Context): String {
        val given = Settings.Global.getString(context.contentResolver, Settings.Global.DEVICE_NAME)
        return (given ?: Build.MODEL ?: "Android").filterNot(Char::isISOControl).take(100).ifBlank { "Android" }
    }
}

/** Answers to what the library asks of the phone. */
object Given {
    /** What was asked for cannot be had; the rest goes on. */
    fun refused(why: String = "failed"): JSONObject = JSONObject().put("given", "refused").put("why", why)
}
