package org.callbook

import android.accounts.AccountManager
import android.content.ContentResolver
import android.content.Intent
import android.net.Uri
import android.provider.ContactsContract
import android.widget.EditText
import java.net.ServerSocket
import kotlin.concurrent.thread
import org.callbook.account.Accounts
import org.callbook.account.Authenticator
import org.callbook.account.Books
import org.callbook.account.Leaving
import org.callbook.account.Notes
import org.callbook.account.SignIn
import org.callbook.engine.Server
import org.callbook.sync.CALLS_AUTHORITY
import org.callbook.ui.ChoicesActivity
import org.callbook.ui.MainActivity
import org.callbook.ui.SignInActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

class SignInTest : AppTest() {
    private fun screen(intent: Intent = SignInActivity.intent(app, null)) =
        Robolectric.buildActivity(SignInActivity::class.java, intent).setup()

    /** What the screen says to what was typed; nothing of it is kept. */
    private fun check(server: String, password: String, words: Int) = screen().use {
        fill(it, server, password = password)
        assertEquals(app.getString(words), text(it.get(), R.id.error))
        assertEquals(emptyList<Any>(), accounts())
        assertEquals(0, app.noBackupFilesDir.resolve("books").list().orEmpty().size)
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `signs in through the screen`() = screen().use {
        fill(it, server.address)
        val account = accounts().single()
        assertEquals("ann@${server.address.removePrefix("http://")}", account.name)
        for (authority in listOf(ContactsContract.AUTHORITY, CALLS_AUTHORITY)) {
            assertEquals(1, ContentResolver.getIsSyncable(account, authority))
            assertTrue(ContentResolver.getSyncAutomatically(account, authority))
        }
        assertTrue(Books.of(app, account).isSignedIn)
        val next = shadowOf(app).nextStartedActivity
        assertEquals(ChoicesActivity::class.java.name, next.component?.className)
        // The password is nowhere, the tokens only where this phone alone can read them.
        val folder = Accounts.folder(app, Accounts.key(app, account)!!)
        val files = folder.walk().filter { file -> file.isFile }.toList()
        assertTrue(files.any { file -> file.name == "tokens" })
        for (file in files) {
            val bytes = file.readBytes().toString(Charsets.ISO_8859_1)
            assertFalse(file.name, bytes.contains(Server.PASSWORD))
            assertFalse(file.name, file.name == "tokens" && bytes.contains("refresh"))
        }
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `what is kept lets in again, and a lost key asks for the password`() {
        val account = signIn()
        Books.closeAll()
        assertTrue(Books.of(app, account).isSignedIn)
        Books.closeAll()
        FakeKeyStore.keys.clear()
        assertFalse(Books.of(app, account).isSignedIn)
        screen(SignInActivity.intent(app, account)).use {
            assertFalse(it.get().findViewById<EditText>(R.id.server).isEnabled)
            it.get().findViewById<EditText>(R.id.password).setText(Server.PASSWORD)
            fill(it, server.address)
        }
        assertTrue(Books.of(app, account).isSignedIn)
        assertEquals(listOf(account), accounts())
    }

    @Test
    fun `what people get wrong`() {
        check(server.address, "not the password", R.string.wrong_credentials)
        check("http://127.0.0.1:1", Server.PASSWORD, R.string.offline)
        check("no server", Server.PASSWORD, R.string.bad_address)
        check("http://book.example.org", Server.PASSWORD, R.string.not_https)
        check("book.example.org/team", Server.PASSWORD, R.string.address_too_long)
        check("", Server.PASSWORD, R.string.server_missing)
        check(server.address, "", R.string.password_missing)
    }

    @Test
    fun `a web server that is no Callbook`() = ServerSocket(0).use { other ->
        thread(isDaemon = true) {
            while (!other.isClosed) runCatching {
                other.accept().use { socket ->
                    socket.getInputStream().read(ByteArray(4_096))
                    val page = "<html>"
                    val head = listOf("HTTP/1.1 404 Not Found", "Content-Type: text/html", "Content-Length: 6", "Connection: close")
                    socket.getOutputStream().write((head + listOf("", page)).joinToString("\r\n").toByteArray())
                }
            }
        }
        screen().use {
            fill(it, "http://127.0.0.1:${other.localPort}")
            assertEquals(app.getString(R.string.try_later), text(it.get(), R.id.error))
        }
        assertEquals(emptyList<Any>(), accounts())
    }

    @Test
    fun `a link fills the screen and its user says yes`() {
        val (address, password) = listOf(server.address, Server.PASSWORD).map(Uri::encode)
        val link = Uri.parse("callbook://sign-in?server=$address&user=ann&password=$password")
        screen(Intent(Intent.ACTION_VIEW, link)).use {
            assertEquals("ann", text(it.get(), R.id.user))
            assertEquals(emptyList<Any>(), accounts())
            fill(it, text(it.get(), R.id.server), text(it.get(), R.id.user), text(it.get(), R.id.password))
        }
        assertEquals(1, accounts().size)
    }

    @Test
    fun `a phone whose store for keys does not work says so, and a key that it no longer takes is made anew`() {
        FakeKeyStore.isBroken = true
        check(server.address, Server.PASSWORD, R.string.no_key_store)
        FakeKeyStore.isBroken = false
        val account = signIn()
        val key = Accounts.key(app, account)!!
        FakeKeyStore.keys[key] = javax.crypto.spec.SecretKeySpec(ByteArray(7), "DES")
        Books.closeAll()
        assertFalse(Books.of(app, account).isSignedIn)
        assertEquals(null, SignIn.again(app, account, Server.PASSWORD).code)
        assertEquals("AES", FakeKeyStore.keys[key]!!.algorithm)
        Books.closeAll()
        assertTrue(Books.of(app, account).isSignedIn)
    }

    @Test
    fun `Android's settings add and ask again`() {
        val authenticator = Authenticator(app)
        val add = authenticator.addAccount(null, Accounts.TYPE, null, null, null)
        @Suppress("DEPRECATION")
        val intent = add.getParcelable<Intent>(AccountManager.KEY_INTENT)
        assertEquals(SignInActivity::class.java.name, intent?.component?.className)
        assertNotNull(Robolectric.buildService(org.callbook.account.AuthenticatorService::class.java).create().get()
            .onBind(Intent("android.accounts.AccountAuthenticator")))
        val token = authenticator.getAuthToken(null, signIn(), "any", null)
        assertNull(token.getString(AccountManager.KEY_AUTHTOKEN))
    }

    @Test
    @Config(sdk = [26, 31, 34])
    fun `an account that is removed leaves nothing`() {
        val account = signIn()
        val key = Accounts.key(app, account)!!
        assertTrue(Authenticator(app).getAccountRemovalAllowed(null, account).getBoolean(AccountManager.KEY_BOOLEAN_RESULT))
        Accounts.remove(app, account)
        await("its files are gone") { !Accounts.folder(app, key).exists() }
        assertEquals(emptySet<String>(), FakeKeyStore.keys.keys)
        // The device has ended at the server too.
        assertEquals(0, Script(server).devices("ann"))
    }

    @Test
    fun `what an account leaves that went while the app did not run`() {
        val account = signIn()
        Books.closeAll()
        Accounts.remove(app, account)
        Leaving.sweep(app)
        assertEquals(0, app.noBackupFilesDir.resolve("books").list().orEmpty().size)
        assertEquals(emptySet<String>(), FakeKeyStore.keys.keys)
    }

    @Test
    fun `what is swept away is not what somebody signs in to`() {
        val book = Books.new(app, server.address)
        Leaving.sweep(app)
        assertTrue(Accounts.folder(app, book.key).exists())
        Books.drop(book)
        assertFalse(Accounts.folder(app, book.key).exists())
    }

    @Test
    fun `the first screen of a phone without an account is the sign-in`() {
        Robolectric.buildActivity(MainActivity::class.java).setup().use {
            assertTrue(it.get().isFinishing)
            assertEquals(SignInActivity::class.java.name, shadowOf(app).nextStartedActivity.component?.className)
        }
        Notes.of(app, signIn()).hasChosen = false
        Robolectric.buildActivity(MainActivity::class.java).setup().use {
            assertEquals(ChoicesActivity::class.java.name, shadowOf(app).nextStartedActivity.component?.className)
        }
    }
}
