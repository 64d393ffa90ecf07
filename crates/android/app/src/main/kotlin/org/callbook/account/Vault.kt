package org.callbook.account

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.AtomicFile
import java.io.File
import java.io.FileNotFoundException
import java.security.GeneralSecurityException
import java.security.KeyStore
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
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
            val key = store().getKey(alias, null) as? SecretKey ?: return null
            cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, bytes, 0, IV_BYTES))
            JSONObject(cipher.doFinal(bytes, IV_BYTES, bytes.size - IV_BYTES).toString(Charsets.UTF_8))
        } catch (_: GeneralSecurityException) {
            null
        } catch (_: JSONException) {
            null
        }
    }

    fun write(tokens: JSONObject?) {
        if (tokens == null) return file.delete()
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.ENCRYPT_MODE, key())
        val sealed = cipher.iv + cipher.doFinal(tokens.toString().toByteArray())
        val out = file.startWrite()
        try {
            out.write(sealed)
            file.finishWrite(out)
        } catch (e: java.io.IOException) {
            file.failWrite(out)
            throw e
        }
    }

    /** The tokens and their key. */
    fun erase() {
        file.delete()
        store().deleteEntry(alias)
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
