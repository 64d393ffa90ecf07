package org.callbook.account

import android.accounts.Account
import android.content.Context
import android.util.Base64
import java.io.Closeable
import java.util.concurrent.locks.ReentrantLock
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509TrustManager
import org.callbook.engine.CallbookException
import org.callbook.engine.Phone
import org.callbook.sync.Log
import org.json.JSONArray
import org.json.JSONObject

/**
 * The team's book as one account has it: the library with this account's file, and its tokens. What it may be asked is
 * in `crates/android/src/phone/command.rs`. It is opened once for the whole app ([Books]); any thread may ask.
 */
class Book internal constructor(
    context: Context,
    val key: String,
    val server: String,
    rebuild: Boolean = false,
) : Closeable {
    private val folder = Accounts.folder(context, key)
    private val vault = Vault(folder.resolve("tokens"), key)
    private val phone: Phone

    /** Whoever syncs holds it: one sync at a time. */
    val syncing = ReentrantLock()

    init {
        val isNew = folder.mkdirs()
        val config = JSONObject()
            .put("store", folder.resolve("book.db").path)
            .put("server", server)
            .put("roots", JSONArray(roots))
            .put("rebuild", rebuild)
        vault.read()?.let { config.put("session", it) }
        phone = try {
            open(config)
        } catch (e: CallbookException) {
            if (isNew) folder.deleteRecursively()
            throw e
        }
        Log.tellLibrary(context)
    }

    /** What a command answers: `JSONObject`, `JSONArray`, `String` or `JSONObject.NULL`. */
    fun ask(command: String, more: JSONObject.() -> Unit = {}): Any {
        val envelope = JSONObject(phone.call(JSONObject().put("do", command).apply(more).toString()))
        if (envelope.has("session")) vault.write(envelope.optJSONObject("session"))
        return envelope.get("answer")
    }

    fun askObject(command: String, more: JSONObject.() -> Unit = {}): JSONObject = ask(command, more) as JSONObject

    fun askList(command: String, more: JSONObject.() -> Unit = {}): List<JSONObject> =
        (ask(command, more) as JSONArray).objects()

    /** Ends the sync under way, from another thread. */
    fun cancel() = phone.cancel()

    val isSignedIn: Boolean get() = askObject("status").getBoolean("signed_in")

    /** For a request beside the library: what lets in now, if anything does. */
    internal fun accessToken(): String? = vault.read()?.optString("access")?.takeIf(String::isNotEmpty)

    override fun close() = phone.close()

    /** Its file, its tokens and their key are gone. */
    fun erase() {
        close()
        vault.erase()
        folder.deleteRecursively()
    }

    companion object {
        /** What Android trusts, DER in base 64: read once, it does not change while an app runs. */
        private val roots: List<String> by lazy {
            val factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
            factory.init(null as java.security.KeyStore?)
            val manager = factory.trustManagers.filterIsInstance<X509TrustManager>().first()
            manager.acceptedIssuers.map { Base64.encodeToString(it.encoded, Base64.NO_WRAP) }
        }

        /** Tests have phones without a library. */
        internal var openPhone: (String) -> Phone = Phone::open

        private fun open(config: JSONObject): Phone = try {
            openPhone(config.toString())
        } catch (e: LinkageError) {
            // The app was put on a phone for whose processor it was not built.
            throw CallbookException("no_library", e.toString())
        }
    }
}

fun JSONArray.objects(): List<JSONObject> = List(length()) { getJSONObject(it) }

/** A list that may be absent. */
fun JSONObject.list(name: String): List<JSONObject> = optJSONArray(name)?.objects().orEmpty()

/** A text that may be absent or null. */
fun JSONObject.text(name: String): String? = if (isNull(name)) null else getString(name).takeIf(String::isNotEmpty)

/** The books that are open. */
object Books {
    private val open = HashMap<String, Book>()

    /** Keys of those that have no account yet: nobody is to take their files for what an account has left. */
    private val starting = HashSet<String>()

    /** @throws CallbookException when its file cannot be used. */
    @Synchronized
    fun of(context: Context, account: Account): Book {
        val key = Accounts.key(context, account)?.takeUnless(Leaving::isLeaving)
            ?: throw CallbookException("no_account", "the account is gone")
        val server = Accounts.server(context, account).orEmpty()
        return open.getOrPut(key) { Book(context.applicationContext, key, server) }
    }

    /**
     * The book is fetched anew, and what waits to be sent is kept. A file that cannot be opened is put aside, and as much
     * of it as can be read is taken over.
     */
    @Synchronized
    fun rebuild(context: Context, account: Account) {
        try {
            of(context, account).ask("rebuild")
        } catch (_: CallbookException) {
            val key = Accounts.key(context, account) ?: return
            take(key)?.close()
            keep(Book(context.applicationContext, key, Accounts.server(context, account).orEmpty(), rebuild = true))
            Notes.of(context, account).isMadeAnew = true
        }
    }

    /** Before there is an account: it is kept, or dropped. */
    fun new(context: Context, server: String): Book {
        val key = Accounts.newKey()
        synchronized(this) { starting += key }
        return try {
            Book(context.applicationContext, key, server)
        } catch (e: CallbookException) {
            synchronized(this) { starting -= key }
            throw e
        }
    }

    @Synchronized
    internal fun drop(book: Book) {
        starting -= book.key
        book.erase()
    }

    @Synchronized
    fun isStarting(key: String): Boolean = key in starting

    @Synchronized
    internal fun keep(book: Book) {
        starting -= book.key
        open[book.key] = book
    }

    @Synchronized
    fun take(key: String): Book? = open.remove(key)

    /** Tests begin with none. */
    @Synchronized
    internal fun closeAll() {
        open.values.forEach(Book::close)
        open.clear()
    }
}
