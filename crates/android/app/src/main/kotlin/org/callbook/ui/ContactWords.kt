package org.callbook.ui

import android.content.Context
import android.provider.ContactsContract.CommonDataKinds.Email
import android.provider.ContactsContract.CommonDataKinds.Phone
import android.provider.ContactsContract.CommonDataKinds.StructuredPostal
import org.callbook.R
import org.callbook.account.list
import org.callbook.account.text
import org.json.JSONObject

/** The library's contacts in the user's words. */
object ContactWords {
    /** What a contact goes by. */
    fun title(context: Context, fields: JSONObject): String =
        fields.text("name") ?: fields.text("organization") ?: fields.text("nickname")
            ?: numbers(fields).firstOrNull() ?: context.getString(R.string.no_name)

    fun numbers(fields: JSONObject): List<String> = fields.list("phones").map { it.getString("number") }

    /** What kind of a number or address it is: in its user's own word, or in Android's, which are in the phone's language. */
    fun kind(context: Context, list: String, entry: JSONObject): String? =
        entry.text("label") ?: entry.text("type")?.let { word ->
            val type = KINDS[list].orEmpty().indexOf(word) + 1
            when {
                type == 0 -> null
                list == "phones" -> Phone.getTypeLabel(context.resources, type, null)
                list == "emails" -> Email.getTypeLabel(context.resources, type, null)
                else -> StructuredPostal.getTypeLabel(context.resources, type, null)
            }?.toString()
        }

    /** The protocol's words in the order of Android's numbers, which begin with 1. */
    private val KINDS = mapOf(
        "phones" to listOf(
            "home", "mobile", "work", "fax_work", "fax_home", "pager", "other", "callback", "car", "company_main", "isdn", "main",
            "other_fax", "radio", "telex", "tty_tdd", "work_mobile", "work_pager", "assistant", "mms",
        ),
        "emails" to listOf("home", "work", "other", "mobile"),
        "addresses" to listOf("home", "work", "other"),
    )

    /** Why a contact of the phone cannot be in the book. */
    fun unfit(context: Context, why: String?): String = context.getString(
        when (why) {
            "nul" -> R.string.unfit_nul
            "too_long" -> R.string.unfit_too_long
            "too_many" -> R.string.unfit_too_many
            else -> R.string.unfit_too_large
        },
    )

    /** Why a change was put aside: `"TooLarge"`, `"Restored"` or `{"Refused":{…}}`. */
    fun aside(context: Context, why: Any): String = when (why) {
        "TooLarge" -> context.getString(R.string.unfit_too_large)
        "Restored" -> context.getString(R.string.aside_restored)
        else -> context.getString(R.string.aside_refused, refusal(why))
    }

    private fun refusal(why: Any): String =
        (why as? JSONObject)?.optJSONObject("Refused")?.text("code").orEmpty()

    /** One of many deletes that wait for a yes. */
    fun isUnconfirmedDelete(aside: JSONObject): Boolean = refusal(aside.get("why")) == "too_many_deletes"
}
