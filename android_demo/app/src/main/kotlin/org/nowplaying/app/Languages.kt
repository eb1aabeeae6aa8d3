package org.nowplaying.app

import android.app.Activity
import android.app.AlertDialog
import android.app.LocaleManager
import android.content.Context
import android.content.res.Configuration
import android.os.Build
import android.os.LocaleList
import java.util.Locale

/** The app's own language: Android's setting from version 13 on, and one of the app's own before. */
object Languages {
    /** As in res/xml/locales.xml. */
    val TAGS = listOf("en", "de", "es", "hi", "ar")

    fun current(context: Context): String {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
            return context.getSystemService(LocaleManager::class.java).applicationLocales.toLanguageTags()
        }
        return stored(context).getString(KEY, "").orEmpty()
    }

    /** Changes the language; an empty tag follows the phone. */
    fun set(activity: Activity, tag: String) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
            activity.getSystemService(LocaleManager::class.java).applicationLocales = LocaleList.forLanguageTags(tag)
            return
        }
        stored(activity).edit().putString(KEY, tag).apply()
        activity.recreate()
    }

    /** Returns a context in the chosen language; from Android 13 on the system gives one. */
    fun localized(base: Context): Context {
        val tag = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) "" else stored(base).getString(KEY, "").orEmpty()
        if (tag.isEmpty()) {
            return base
        }
        val changed = Configuration(base.resources.configuration)
        changed.setLocales(LocaleList(Locale.forLanguageTag(tag)))
        changed.setLayoutDirection(Locale.forLanguageTag(tag))
        return base.createConfigurationContext(changed)
    }

    /** Each language by its own name, because somebody may not read the present one. */
    fun choose(activity: Activity) {
        val names = TAGS.map { tag -> Locale.forLanguageTag(tag).let { it.getDisplayLanguage(it) } }
        val all = listOf(activity.getString(R.string.language_system)) + names.map { it.replaceFirstChar(Char::titlecase) }
        val tags = listOf("") + TAGS
        AlertDialog.Builder(activity)
            .setTitle(R.string.language)
            .setSingleChoiceItems(all.toTypedArray(), tags.indexOf(current(activity).substringBefore('-'))) { dialog, which ->
                dialog.dismiss()
                set(activity, tags[which])
            }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }

    private fun stored(context: Context) = context.getSharedPreferences("language", Context.MODE_PRIVATE)

    private const val KEY = "tag"
}
