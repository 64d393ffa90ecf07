package org.callbook.ui

import android.accounts.Account
import android.widget.AbsListView
import android.widget.ListView
import org.callbook.account.Api
import org.callbook.account.objects
import org.callbook.account.text
import org.json.JSONObject

/**
 * A list that the server has in pages: the next one is fetched when the end comes to sight. What was asked for before
 * the last [ask] is dropped.
 *
 * @param path which list, and [name] what its rows are called in the answer.
 * @param onPage told of each page: its rows, whether they are the first, and the code of a failure.
 */
class ServerList(
    private val page: Page,
    private val account: () -> Account,
    private val path: String,
    private val name: String,
    private val onPage: (rows: List<JSONObject>, isFirst: Boolean, code: String?) -> Unit,
) {
    private var query: Map<String, String?> = emptyMap()
    private var cursor: String? = null
    private var isLoading = false
    private var asked = 0

    /** From the first page on. */
    fun ask(query: Map<String, String?>) {
        asked++
        this.query = query
        cursor = null
        load(asked)
    }

    fun follow(list: ListView) = list.setOnScrollListener(object : AbsListView.OnScrollListener {
        override fun onScrollStateChanged(view: AbsListView, state: Int) = Unit
        override fun onScroll(view: AbsListView, first: Int, visible: Int, total: Int) {
            if (total > 0 && first + visible >= total - NEAR_THE_END && cursor != null && !isLoading) load(asked)
        }
    })

    private fun load(question: Int) {
        isLoading = true
        val isFirst = cursor == null
        val wanted = query + ("cursor" to cursor)
        page.inBackground({
            try {
                Api(page, account()).get(path, wanted) to null
            } catch (e: Api.Refused) {
                null to e.code
            }
        }) { (answer, code) ->
            if (question != asked) return@inBackground
            isLoading = false
            if (answer != null) cursor = answer.text("cursor")
            onPage(answer?.getJSONArray(name)?.objects().orEmpty(), isFirst, code)
        }
    }

    private companion object {
        const val NEAR_THE_END = 20
    }
}
