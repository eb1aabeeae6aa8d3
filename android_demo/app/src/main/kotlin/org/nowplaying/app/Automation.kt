package org.nowplaying.app

import android.content.Context
import android.content.Intent
import java.security.MessageDigest
import java.security.SecureRandom
import org.nowplaying.core.history.HistoryEntry

/** Commands from other apps, which need a token, and announcements to them; both are off until the user wants them. */
class Automation(private val context: Context) {
    private val stored = context.getSharedPreferences("automation", Context.MODE_PRIVATE)

    var acceptsCommands: Boolean
        get() = stored.getBoolean("commands", false)
        set(value) = stored.edit().putBoolean("commands", value).apply()

    var announcesSongs: Boolean
        get() = stored.getBoolean("announce", false)
        set(value) = stored.edit().putBoolean("announce", value).apply()

    /** 32 hex digits that only this app and those whom the user gave them know. */
    val token: String
        get() = stored.getString("token", null) ?: renew()

    fun renew(): String {
        val bytes = ByteArray(TOKEN_BYTES)
        SecureRandom().nextBytes(bytes)
        val fresh = bytes.joinToString("") { "%02x".format(it) }
        stored.edit().putString("token", fresh).apply()
        return fresh
    }

    /** Compares in constant time, so that the token cannot be found digit by digit. */
    fun isAllowed(given: String?): Boolean =
        acceptsCommands && given != null && MessageDigest.isEqual(given.toByteArray(), token.toByteArray())

    fun announce(song: HistoryEntry) {
        if (announcesSongs) {
            context.sendBroadcast(Intent(SONG).putExtra("title", song.title).putExtra("artist", song.artist))
        }
    }

    companion object {
        const val START = "org.nowplaying.app.action.START"
        const val STOP = "org.nowplaying.app.action.STOP"
        const val ASK = "org.nowplaying.app.action.ASK"
        const val SONG = "org.nowplaying.app.action.SONG"
        const val TOKEN = "token"
        private const val TOKEN_BYTES = 16
    }
}
