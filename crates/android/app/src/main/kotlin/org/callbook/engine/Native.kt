package org.callbook.engine

/**
 * The functions of the Rust library, as they are. Nothing of `android.*` may be used in this package: tests run it in
 * a plain JVM, and one class loader must own the library.
 */
internal object Native {
    init {
        // Tests say where the host's library is.
        val path = System.getProperty("callbook.library")
        if (path != null) System.load(path) else System.loadLibrary("callbook_android")
    }

    @JvmStatic external fun open(config: ByteArray): Long

    @JvmStatic external fun call(handle: Long, command: ByteArray): ByteArray

    @JvmStatic external fun cancel(handle: Long)

    @JvmStatic external fun close(handle: Long)

    /** How much the phone's log is told: 0 nothing, 1 errors, 2 warnings, 3 how syncs went, 4 each request. */
    @JvmStatic external fun log(level: Int)

    /** Does nothing, with as much as [call] takes and gives: to measure the bridge by itself. */
    @JvmStatic external fun echo(bytes: ByteArray): ByteArray
}
