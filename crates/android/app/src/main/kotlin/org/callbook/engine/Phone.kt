package org.callbook.engine

/**
 * One phone: its store, its way to the server, and the sync under way. Commands and answers are JSON, as
 * `crates/android/src/phone/command.rs` says. Any thread may call; one call is done at a time,
 * but for queries, which wait for no request of another.
 */
class Phone private constructor(private val handle: Long) : AutoCloseable {
    /** @throws CallbookException as its code says; what was done before stands. */
    fun call(command: String): String =
        Native.call(handle, command.toByteArray(Charsets.UTF_8)).toString(Charsets.UTF_8)

    /** Ends the sync under way, from another thread. The next `begin` syncs again. */
    fun cancel() = Native.cancel(handle)

    /** Whatever is called afterwards throws `closed`. */
    override fun close() = Native.close(handle)

    companion object {
        /** How much the phone's log is told, of all phones: as [Native.log] says. It begins with nothing. */
        fun log(level: Int) = Native.log(level)

        fun open(config: String): Phone = Phone(Native.open(config.toByteArray(Charsets.UTF_8)))
    }
}
