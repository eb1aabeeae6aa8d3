package org.nowplaying.app

import java.time.ZoneId
import java.time.ZonedDateTime
import org.nowplaying.core.history.History
import org.nowplaying.core.loop.Answer
import org.nowplaying.core.song.Track

/** A history to test with. */
object Samples {
    const val NOCTURNE = "00000000000000aa"
    const val UNNAMED = "00000000000000bb"

    private val SONGS = listOf(
        Triple(NOCTURNE, "Nocturne in E-flat major, Op. 9 No. 2", "Frédéric Chopin"),
        Triple(UNNAMED, "", ""),
        Triple("00000000000000cc", "Winter Blues", "HoliznaCC0"),
        Triple("00000000000000dd", "Marhaba", "Ian Alex Mac"),
        Triple("00000000000000ee", "Almost New", "Kevin MacLeod"),
    )

    fun answer(id: String, title: String, artist: String, offsetS: Double = 42.5) =
        Answer(Track(id, title, artist, "", 200.0, "", emptyMap<String, String>()), offsetS, 0.9, 8.0)

    /** Returns a time of day, some days ago. */
    fun daysAgo(days: Long, hour: Int, minute: Int): Long =
        ZonedDateTime.now(ZoneId.systemDefault()).minusDays(days).withHour(hour).withMinute(minute).toInstant().toEpochMilli()

    fun fill(app: NowPlayingApp) {
        val history = History(app.history)
        for ((song, days, time) in listOf(
            Triple(4, 20L, 21 * 60 + 5), Triple(3, 3L, 17 * 60 + 12), Triple(2, 3L, 18 * 60 + 40), Triple(0, 3L, 20 * 60 + 31),
            Triple(4, 1L, 8 * 60 + 26), Triple(0, 1L, 18 * 60 + 4), Triple(2, 1L, 18 * 60 + 52), Triple(1, 0L, 9 * 60 + 47),
            Triple(0, 0L, 10 * 60 + 18),
        )) {
            val (id, title, artist) = SONGS[song]
            history.add(answer(id, title, artist, 12.0 * song + 42), daysAgo(days, time / 60, time % 60))
        }
        app.history.setFavourite(NOCTURNE, true)
        val today = dayNumber(System.currentTimeMillis())
        app.usage.add(today, 94 * 60.0, 41, 12)
        app.usage.add(today - 2, 213 * 60.0, 77, 20)
    }
}
