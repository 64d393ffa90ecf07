package org.callbook

import android.accounts.Account
import android.app.Application
import android.net.ConnectivityManager
import android.net.NetworkCapabilities
import android.os.Looper
import android.provider.ContactsContract.AUTHORITY
import android.widget.Button
import android.widget.EditText
import android.widget.TextView
import org.callbook.account.Accounts
import org.callbook.account.Books
import org.callbook.account.Notes
import org.callbook.account.SignIn
import org.callbook.engine.Server
import org.callbook.provider.TroubledProvider
import org.callbook.ui.SignInActivity
import org.junit.After
import org.junit.Before
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowNetworkCapabilities

/** The app on a new phone, and a server with a new book for each test that asks for one. */
@RunWith(AppRunner::class)
abstract class AppTest {
    protected val app: Application get() = RuntimeEnvironment.getApplication()
    protected lateinit var contacts: TroubledProvider
    private var started: Server? = null

    /** With the admin `ann`. */
    protected val server: Server get() = started ?: Server().also { started = it }

    @Before
    fun newPhone() {
        FakeKeyStore.install()
        contacts = Robolectric.buildContentProvider(TroubledProvider::class.java).create(AUTHORITY).get()
        idle()
    }

    @After
    fun closeAll() {
        Books.closeAll()
        contacts.shutdown()
        started?.close()
    }

    /** What waits for the main thread is done. */
    protected fun idle() = shadowOf(Looper.getMainLooper()).idle()

    /** Until it is so, or a test that waits fails. */
    protected fun await(what: String, seconds: Int = 60, isSo: () -> Boolean) {
        val end = System.nanoTime() + seconds * 1_000_000_000L
        while (!isSo()) {
            check(System.nanoTime() < end) { "not in $seconds s: $what" }
            idle()
            Thread.sleep(5)
        }
    }

    protected fun text(activity: android.app.Activity, id: Int): String =
        activity.findViewById<TextView>(id).text.toString()

    protected fun fill(
        screen: ActivityController<SignInActivity>,
        server: String,
        user: String = "ann",
        password: String = Server.PASSWORD,
    ) {
        val activity = screen.get()
        activity.findViewById<EditText>(R.id.server).setText(server)
        activity.findViewById<EditText>(R.id.user).setText(user)
        activity.findViewById<EditText>(R.id.password).setText(password)
        val button = activity.findViewById<Button>(R.id.sign_in)
        button.performClick()
        await("an answer to the sign-in") { button.isEnabled || activity.isFinishing }
        idle()
    }

    /** Signed in, as the screen does it, with what is synced chosen. */
    protected fun signIn(
        user: String = "ann",
        password: String = Server.PASSWORD,
        address: String = server.address,
    ): Account {
        val outcome = SignIn.add(app, address, user, password)
        check(outcome.code == null) { "sign-in: ${outcome.code}" }
        return outcome.account!!.also { Notes.of(app, it).hasChosen = true }
    }

    protected fun grant(vararg permissions: String) = shadowOf(app).grantPermissions(*permissions)

    protected fun deny(vararg permissions: String) = shadowOf(app).denyPermissions(*permissions)

    /** What the phone's network is: paid for or not, or none at all. */
    protected fun network(isFree: Boolean?) {
        val connectivity = app.getSystemService(ConnectivityManager::class.java)
        if (isFree == null) return shadowOf(connectivity).setActiveNetworkInfo(null)
        val now = ShadowNetworkCapabilities.newInstance()
        shadowOf(now).addCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET)
        if (isFree) shadowOf(now).addCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED)
        else shadowOf(now).removeCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED)
        shadowOf(connectivity).setNetworkCapabilities(connectivity.activeNetwork, now)
    }

    protected fun accounts(): List<Account> = Accounts.all(app)
}
