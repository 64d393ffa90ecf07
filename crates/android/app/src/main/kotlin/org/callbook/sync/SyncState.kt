package org.callbook.sync

import android.accounts.Account
import java.util.concurrent.CopyOnWriteArraySet
import org.callbook.Work

/** Which accounts sync at this moment, for screens to show. */
object SyncState {
    private val written = HashMap<Account, Long>()
    private const val OFTEN = 300_000_000L

    @Volatile
    private var toldAt = System.nanoTime() - OFTEN
    private val listeners = CopyOnWriteArraySet<() -> Unit>()

    /** How many contacts the sync under way has written; `null` when none is. */
    @Synchronized
    fun progress(account: Account): Long? = written[account]

    @Synchronized
    private fun set(account: Account, contacts: Long?) {
        if (contacts == null) written.remove(account) else written[account] = contacts
    }

    internal fun tell(account: Account, contacts: Long?) {
        set(account, contacts)
        // Nobody reads faster: a large sync has hundreds of steps.
        val now = System.nanoTime()
        if (contacts != null && contacts > 0 && now - toldAt < OFTEN) return
        toldAt = now
        Work.onMain { listeners.forEach { it() } }
    }

    /** [listener] is called on the main thread. */
    fun listen(listener: () -> Unit) {
        listeners += listener
    }

    fun forget(listener: () -> Unit) {
        listeners -= listener
    }
}
