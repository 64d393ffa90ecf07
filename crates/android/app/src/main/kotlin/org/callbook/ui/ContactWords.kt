package org.callbook.ui

import android.content.Context
import org.callbook.R
import org.callbook.account.objects
import org.callbook.account.text
import org.json.JSONObject

/** The library's contacts in the user's words. */
object ContactWords {
    /** What a contact goes by. */
    fun title(context: Context, fields: JSONObject): String =
        fields.text("name") ?: fields.text("organization") ?: fields.text("nickname")
            ?: numbers(fields).firstOrNull() ?: context.getString(R.string.no_name)

    fun numbers(fields: JSONObject): List<String> = fields.getJSONArray("phones").objects().map { it.getString("number") }

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
