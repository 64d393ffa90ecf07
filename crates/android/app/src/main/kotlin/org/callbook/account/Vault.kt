package org.callbook.account

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.AtomicFile
import java.io.File
import java.io.FileNotFoundException
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.KeyStoreException
import java.security.ProviderException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
import org.callbook.engine.CallbookException
import org.json.JSONException
import org.json.JSONObject

/** The tokens of one session, in a file that only this phone can read: its key never leaves Android's key store. */
internal class Vault(file: File, private val alias: String) {
    private val file = AtomicFile(file)

    /** `null` when there are none, or when the phone has lost the key: somebody signs in again. */
    fun read(): JSONObject? {
        val bytes = try {
            file.readFully()
        } catch (_: FileNotFoundException) {
            return null
        }
        if (bytes.size <= IV_BYTES) return null
        return try {
            val cipher = Cipher.getInstance(CIPHER)
            val key = inStore { store().getKey(alias, null) } as? SecretKey ?: return null
            inStore { cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, bytes, 0, IV_BYTES)) }
            JSONObject(inStore { cipher.doFinal(bytes, IV_BYTES, bytes.size - IV_BYTES) }.toString(Charsets.UTF_8))
        } catch (_: GeneralSecurityException) {
            null
        } catch (_: JSONException) {
            null
        }
    }

    /** @throws CallbookException `no_key_store` where Android's does not work. */
    fun write(tokens: JSONObject?) {
        if (tokens == null) return file.delete()
        val sealed = try {
            seal(tokens.toString().toByteArray())
        } catch (e: GeneralSecurityException) {
            throw CallbookException("no_key_store", e.toString())
        }
        val out = file.startWrite()
        try {
            out.write(sealed)
            file.finishWrite(out)
        } catch (e: java.io.IOException) {
            file.failWrite(out)
            throw e
        }
    }

    /** With the key that there is; where the store no longer takes it, with a new one. */
    private fun seal(text: ByteArray): ByteArray = try {
        sealWithKey(text)
    } catch (_: GeneralSecurityException) {
        inStore { store().deleteEntry(alias) }
        sealWithKey(text)
    }

    private fun sealWithKey(text: ByteArray): ByteArray = inStore {
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.ENCRYPT_MODE, key())
        cipher.iv + cipher.doFinal(text)
    }

    /** Where Android's own process for keys fails, it throws what is no exception of cryptography. */
    private fun <T> inStore(work: () -> T): T = try {
        work()
    } catch (e: ProviderException) {
        throw KeyStoreException(e)
    }

    /** The tokens and their key. */
    fun erase() {
        file.delete()
        try {
            inStore { store().deleteEntry(alias) }
        } catch (_: GeneralSecurityException) {
            // A key without its file opens nothing.
        }
    }

    private fun key(): SecretKey = store().getKey(alias, null) as? SecretKey ?: run {
        val spec = KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setKeySize(256)
            .build()
        KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, STORE).apply { init(spec) }.generateKey()
    }

    private fun store(): KeyStore = KeyStore.getInstance(STORE).apply { load(null) }

    private companion object {
        const val STORE = "AndroidKeyStore"
        const val CIPHER = "AES/GCM/NoPadding"
        const val IV_BYTES = 12
        const val TAG_BITS = 128
    }
}
