package org.callbook

import org.junit.runners.model.FrameworkMethod
import org.robolectric.RobolectricTestRunner
import org.robolectric.internal.bytecode.InstrumentationConfiguration

/**
 * Keeps the library's own package out of Robolectric's sandboxes: each has a class loader of its own, and only one may own
 * a library. Every test class needs this runner.
 */
class AppRunner(testClass: Class<*>) : RobolectricTestRunner(testClass) {
    override fun createClassLoaderConfig(method: FrameworkMethod): InstrumentationConfiguration =
        InstrumentationConfiguration.Builder(super.createClassLoaderConfig(method))
            .doNotAcquirePackage("org.callbook.engine.")
            .build()
}
