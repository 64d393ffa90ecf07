package org.callbook.engine

/** A call into the library failed. [code] is stable: it is what the app looks its own words up by. */
class CallbookException(val code: String, message: String) : RuntimeException(message)
