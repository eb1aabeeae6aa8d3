@rem Runs the Gradle of gradle\wrapper\gradle-wrapper.properties; see gradlew.
@echo off
cd /d "%~dp0"
if not exist gradle\wrapper\gradle-wrapper.jar (
  echo gradlew: needs gradle\wrapper\gradle-wrapper.jar; "gradle wrapper" writes it 1>&2
  exit /b 1
)
java -cp gradle\wrapper\gradle-wrapper.jar org.gradle.wrapper.GradleWrapperMain %*
