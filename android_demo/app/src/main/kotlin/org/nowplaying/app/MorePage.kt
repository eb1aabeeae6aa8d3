package org.nowplaying.app


/** Everything else, each with a line that says what it is for. */
class MorePage(screen: MainActivity) : MainActivity.Page(screen, R.layout.page_more) {
    private val rows = Rows(screen)

    init {
        rows.fill(view.findViewById(R.id.list))
    }

    override fun show() {
        rows.items = listOf(
            row(R.string.songs, R.string.songs_help, R.drawable.ic_songs, SongsActivity::class.java),
            row(R.string.packs, R.string.packs_line, R.drawable.ic_pack, PacksActivity::class.java),
            row(R.string.battery, R.string.battery_line, R.drawable.ic_battery, BatteryActivity::class.java),
            row(R.string.status, R.string.status_line, R.drawable.ic_activity, StatusActivity::class.java),
            row(R.string.settings, R.string.settings_line, R.drawable.ic_settings, SettingsActivity::class.java),
            Row(screen.getString(R.string.language), language(), icon = R.drawable.ic_language) { Languages.choose(screen) },
            row(R.string.backup, R.string.backup_line, R.drawable.ic_backup, BackupActivity::class.java),
            row(R.string.automation, R.string.automation_line, R.drawable.ic_bolt, AutomationActivity::class.java),
            row(R.string.privacy, R.string.privacy_line, R.drawable.ic_privacy, PrivacyActivity::class.java),
        )
    }

    private fun language(): String {
        val shown = screen.resources.configuration.locales[0]
        return shown.getDisplayLanguage(shown).replaceFirstChar(Char::titlecase)
    }

    private fun row(name: Int, help: Int, icon: Int, opens: Class<*>) =
        Row(screen.getString(name), screen.getString(help), icon = icon) { screen.open(opens) }
}
