package org.callbook.engine

/**
 * A call into the library failed.
 *
 * @property code stable: what the app looks its own words up by.
 * @property retryAfter seconds after which the library tries again by itself, where the server has asked to wait
 * (`try_later`); `null` of all else.
 */
class CallbookException(
    val code: String,
    message: String,
    val retryAfter: Long? = null,
) : RuntimeException(message)
