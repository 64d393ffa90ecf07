package org.callbook.sync

import android.content.Context
import android.net.ConnectivityManager
import android.net.NetworkCapabilities
import android.net.NetworkCapabilities.NET_CAPABILITY_INTERNET
import android.net.NetworkCapabilities.NET_CAPABILITY_NOT_METERED

/** What the phone's network is now. */
object Networks {
    fun isThere(context: Context): Boolean = now(context)?.hasCapability(NET_CAPABILITY_INTERNET) ?: false

    /** Whether nobody pays for what is sent. */
    fun isFree(context: Context): Boolean = now(context)?.hasCapability(NET_CAPABILITY_NOT_METERED) ?: false

    private fun now(context: Context): NetworkCapabilities? =
        context.getSystemService(ConnectivityManager::class.java).run { getNetworkCapabilities(activeNetwork) }
}
