package org.callbook

import java.io.InputStream
import java.io.OutputStream
import java.security.Key
import java.security.KeyStoreSpi
import java.security.Provider
import java.security.ProviderException
import java.security.SecureRandom
import java.security.Security
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import javax.crypto.KeyGenerator
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey

/** Android's key store, in memory: Robolectric has none. */
object FakeKeyStore {
    /** Whether the phone's own process for keys fails. */
    @Volatile
    var isBroken = false

    val keys: MutableMap<String, SecretKey> = Collections.synchronizedMap(HashMap())

    fun install() {
        Security.removeProvider("AndroidKeyStore")
        Security.addProvider(object : Provider("AndroidKeyStore", "1.0", "for tests") {
            init {
                put("KeyStore.AndroidKeyStore", Store::class.java.name)
                put("KeyGenerator.AES", Generator::class.java.name)
            }

            override fun getService(type: String, algorithm: String): Service? = when {
                type == "KeyStore" && algorithm == "AndroidKeyStore" -> made(type, algorithm) { Store() }
                type == "KeyGenerator" && algorithm == "AES" -> made(type, algorithm) { Generator() }
                else -> null
            }

            private fun made(type: String, algorithm: String, make: () -> Any) =
                object : Service(this, type, algorithm, "none", null, null) {
                    override fun newInstance(parameter: Any?): Any = make()
                }
        })
        keys.clear()
        isBroken = false
    }

    private fun ask() {
        if (isBroken) throw ProviderException("Keystore operation failed")
    }

    class Generator : KeyGeneratorSpi() {
        private lateinit var alias: String

        override fun engineInit(random: SecureRandom?) = Unit

        override fun engineInit(params: AlgorithmParameterSpec, random: SecureRandom?) {
            alias = params.javaClass.getMethod("getKeystoreAlias").invoke(params) as String
        }

        override fun engineInit(size: Int, random: SecureRandom?) = Unit

        override fun engineGenerateKey(): SecretKey {
            ask()
            return KeyGenerator.getInstance("AES", "SunJCE").apply { init(256) }.generateKey().also { keys[alias] = it }
        }
    }

    class Store : KeyStoreSpi() {
        override fun engineGetKey(alias: String, password: CharArray?): Key? {
            ask()
            return keys[alias]
        }

        override fun engineDeleteEntry(alias: String) {
            ask()
            keys.remove(alias)
        }

        override fun engineLoad(stream: InputStream?, password: CharArray?) = Unit
        override fun engineContainsAlias(alias: String) = alias in keys
        override fun engineAliases(): Enumeration<String> = Collections.enumeration(keys.keys.toList())
        override fun engineSize() = keys.size
        override fun engineIsKeyEntry(alias: String) = alias in keys
        override fun engineIsCertificateEntry(alias: String) = false
        override fun engineGetCertificate(alias: String?): Certificate? = null
        override fun engineGetCertificateChain(alias: String?): Array<Certificate>? = null
        override fun engineGetCertificateAlias(certificate: Certificate?): String? = null
        override fun engineGetCreationDate(alias: String?): Date? = null
        override fun engineStore(stream: OutputStream?, password: CharArray?) = Unit
        override fun engineSetKeyEntry(a: String?, k: Key?, p: CharArray?, c: Array<out Certificate>?) = Unit
        override fun engineSetKeyEntry(a: String?, k: ByteArray?, c: Array<out Certificate>?) = Unit
        override fun engineSetCertificateEntry(a: String?, c: Certificate?) = Unit
    }
}
