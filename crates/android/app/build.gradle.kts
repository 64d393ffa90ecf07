// For Android Studio: the same sources, manifest and resources that crates/android/build-apk builds. It is not run in CI, and
// has not been run: no machine of ours has the Android SDK. crates/android/build-native makes the library first.
plugins {
    id("com.android.application") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.4.21"
}

android {
    namespace = "org.callbook"
    compileSdk = 36

    defaultConfig {
        applicationId = "org.callbook"
        minSdk = 26
        targetSdk = 34
        versionCode = 1
        versionName = "0.1.0"
    }

    sourceSets["main"].jniLibs.srcDir("../../../target/native")
    sourceSets["test"].setRoot("src/none") // tests are Maven's: crates/android/test-app
    packaging.jniLibs.useLegacyPackaging = false
    androidResources.localeFilters += listOf("en", "de")

    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles("tools/keep.pro")
        }
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

kotlin.jvmToolchain(17)

dependencies {
    implementation("com.google.zxing:core:3.5.3")
}
