package org.callbook.provider

import android.accounts.Account
import android.provider.ContactsContract.AUTHORITY
import java.io.File
import org.callbook.AppRunner
import org.junit.Assert.assertEquals
import org.junit.Assume.assumeTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment

/**
 * The provider behind the tests' own gives what Android 14's was seen to give. The fake can be told that others wait for
 * its database; another provider, named by `callbook.contacts`, is tried once, as it is.
 */
@RunWith(AppRunner::class)
class ProviderTest {
    private fun check(isContended: Boolean) {
        assumeTrue("a fake", !isContended || TroubledProvider().behind is FakeContactsProvider)
        val observed = File("../../device/src/provider/fake/observed.tsv").readLines().drop(1)
            .associate { it.split('\t').let { (scenario, seen) -> scenario to seen } }
        val app = RuntimeEnvironment.getApplication()
        val names = ProviderScenarios(app, ACCOUNT).all.map { it.first }
        assertEquals(observed.keys.toList(), names)
        val given = names.associateWith { name ->
            val provider = Robolectric.buildContentProvider(TroubledProvider::class.java).create(AUTHORITY).get()
            (provider.behind as? FakeContactsProvider)?.isContended = isContended
            val scenario = ProviderScenarios(app, ACCOUNT).all.first { it.first == name }.second
            try {
                scenario().toString()
            } catch (e: RuntimeException) {
                "${e.javaClass.simpleName}: ${e.message}".take(observed.getValue(name).length)
            } finally {
                provider.shutdown()
            }
        }
        assertEquals(observed.entries.joinToString("\n"), given.entries.joinToString("\n"))
    }

    @Test
    fun `when nobody waits at its yield points`() = check(isContended = false)

    @Test
    fun `when others wait at its yield points`() = check(isContended = true)

    private companion object {
        val ACCOUNT = Account("me", "org.callbook")
    }
}
