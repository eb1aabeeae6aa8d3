package org.nowplaying.app

import android.content.Context
import org.nowplaying.core.loop.Answer

/** Returns a reason of the core in the user's language. */
fun Context.reasonText(reason: String): String = getString(
    when (reason) {
        "off" -> R.string.reason_off
        "interval" -> R.string.reason_interval
        "call" -> R.string.reason_call
        "own_playback" -> R.string.reason_own_playback
        "bedtime" -> R.string.reason_bedtime
        "battery_saver" -> R.string.reason_battery_saver
        "microphone_taken" -> R.string.reason_microphone_taken
        "cool_down" -> R.string.reason_cool_down
        "same_song" -> R.string.reason_same_song
        else -> R.string.reason_stopped
    },
)

/** Returns title and artist, with words for those that are empty. */
fun Context.namesOf(title: String, artist: String): Pair<String, String> = Pair(
    title.ifEmpty { getString(R.string.unnamed_song) },
    artist.ifEmpty { getString(R.string.unnamed_artist) },
)

/** Returns an answer as a sentence; null is "unknown". */
fun Context.answerText(answer: Answer): String {
    val track = answer.track ?: return getString(R.string.answer_unknown)
    val (title, artist) = namesOf(track.title, track.artist)
    return getString(R.string.answer_song, title, artist)
}
