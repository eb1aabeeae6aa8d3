plugins {
    `java-library`
}

tasks.withType<JavaCompile>().configureEach {
    // What every Android from API 26 on has.
    options.release = 8
}

dependencies {
    testImplementation(libs.junit)
    testImplementation(libs.sqlite.jdbc)
}

tasks.test {
    // Written by `python -m tests.android.golden android_demo/core/target/golden`.
    systemProperty("golden", layout.projectDirectory.dir("target/golden").asFile.path)
}
