package org.callbook

import android.os.Handler
import android.os.Looper
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/** What is not done on the main thread: all that asks the library, the providers or the network. */
object Work {
    private val pool: ExecutorService = Executors.newCachedThreadPool { work ->
        Thread(work, "callbook").apply { isDaemon = true }
    }
    private val main = Handler(Looper.getMainLooper())

    fun run(work: () -> Unit) {
        pool.execute(work)
    }

    /** Does [work] in the background, and [then] on the main thread with what came of it. */
    fun <T> run(work: () -> T, then: (T) -> Unit) {
        pool.execute {
            val result = work()
            main.post { then(result) }
        }
    }

    fun onMain(work: () -> Unit) {
        main.post(work)
    }
}
