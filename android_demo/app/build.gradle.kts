plugins {
    alias(libs.plugins.android.application)
}

android {
    namespace = "org.nowplaying.app"
    compileSdk = 36

    defaultConfig {
        applicationId = "org.nowplaying.app"
        minSdk = 26
        targetSdk = 36
        versionCode = 1
        // The version stands there and nowhere else.
        versionName = Regex("__version__ = \"(.+)\"")
            .find(rootProject.file("../nowplaying_core/__init__.py").readText())!!.groupValues[1]
    }

    androidResources {
        noCompress += listOf("tflite", "npy", "ann", "sqlite")
    }

    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all {
                it.systemProperty("screens", layout.buildDirectory.dir("screens").get().asFile.path)
                // Written by `python -m tests.android.golden android_demo/core/target/golden`.
                it.systemProperty("golden", rootProject.file("core/target/golden").path)
            }
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
}

dependencies {
    implementation(project(":core"))
    testImplementation(libs.junit)
    testImplementation(libs.robolectric)
}

/** The shipped models, and the song packs in android_demo/packs, as the app's assets. */
abstract class PhoneAssets : DefaultTask() {
    /** Folder of each role's model. */
    @get:Internal
    abstract val models: MapProperty<String, Directory>

    @get:InputFiles
    abstract val packs: ConfigurableFileCollection

    @get:OutputDirectory
    abstract val assets: DirectoryProperty

    @get:Inject
    abstract val files: FileSystemOperations

    @TaskAction
    fun collect() {
        files.sync {
            into(assets)
            for ((role, folder) in models.get()) {
                from(folder) {
                    include("manifest.json", "*.tflite")
                    into("models/$role")
                }
            }
            from(packs) {
                include("*.npdb/**")
                into("packs")
            }
        }
    }
}

val phoneAssets = tasks.register<PhoneAssets>("phoneAssets") {
    val names = rootProject.file("../nowplaying_core/artifacts.py").readText()
    for (role in listOf("detector", "fingerprinter")) {
        // The shipped models' names stand there and nowhere else.
        val name = Regex("SHIPPED_${role.uppercase()} = \"(.+)\"").find(names)!!.groupValues[1]
        val folder = rootProject.layout.projectDirectory.dir("../models/$name")
        models.put(role, folder)
        inputs.dir(folder)
    }
    packs.from(rootProject.layout.projectDirectory.dir("packs"))
}

androidComponents {
    onVariants { variant ->
        variant.sources.assets?.addGeneratedSourceDirectory(phoneAssets, PhoneAssets::assets)
    }
}
