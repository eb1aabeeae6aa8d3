package org.nowplaying.app

import org.nowplaying.core.history.History
import org.nowplaying.core.listen.Session
import org.nowplaying.core.loop.Answer
import org.nowplaying.core.loop.Event
import org.nowplaying.core.loop.State

/** Counts, keeps and shows what happens in a session of the service, on the session's thread. */
class SessionNews(private val service: ListenService, private val notifier: Notifier) : Session.Listener {
    private val app = service.app
    private val log = app.log
    private val history = History(app.history)
    private var uncountedS = 0.0

    override fun onEvent(event: Event) {
        when (event.kind) {
            Event.Kind.RECOGNIZED -> recognized(event.answer)
            Event.Kind.UNKNOWN -> log.add(service.getString(R.string.log_unknown))
            Event.Kind.SKIPPED -> log.add(service.getString(R.string.log_skipped, service.reasonText(event.reason)))
            // An early look that found nothing is no news: the capture goes on.
            Event.Kind.LOOKED -> Unit
            else -> if (event.state == State.CAPTURING && event.reason == "music") log.add(service.getString(R.string.log_capturing))
        }
    }

    /** Counts a run of the recognizer; a question may need two, and one that ends without an answer has run as well. */
    fun recognizing() = count(wakes = 1)

    override fun onLevel(dbfs: Double, seconds: Double) {
        log.takeLevel(dbfs)
        uncountedS += seconds
        if (uncountedS >= COUNT_EVERY_S) {
            count()
        }
    }

    /** Stores what the app has done, once a minute and whenever something happens. */
    fun count(wakes: Int = 0, songs: Int = 0) {
        app.usage.add(dayNumber(System.currentTimeMillis()), uncountedS, wakes, songs)
        uncountedS = 0.0
    }

    override fun onPause(reason: String?) {
        log.setPauseReason(reason)
        if (reason != null) {
            count()
        }
        if (service.isStopped) {
            return
        }
        if (reason == null) {
            log.add(service.getString(R.string.log_listens))
            service.showText(service.getString(R.string.notification_listening))
        } else {
            log.add(service.getString(R.string.log_paused, service.reasonText(reason)))
            service.showText(service.getString(R.string.notification_paused, service.reasonText(reason)))
        }
    }

    override fun onAnswer(answer: Answer) {
        if (answer.track != null) {
            recognized(answer)
        }
        log.queryEnded(answer)
        service.endUnlessEnabled()
    }

    override fun onError(error: Exception) {
        service.report(error)
        service.endUnlessEnabled()
    }

    private fun recognized(answer: Answer) {
        val song = history.add(answer, System.currentTimeMillis())
        log.add(service.getString(R.string.log_song, service.answerText(answer)))
        notifier.showSong(song, app.settings.showsOnLockScreen)
        count(songs = 1)
        app.automation.announce(song)
        SongWidget.update(service)
    }

    private companion object {
        const val COUNT_EVERY_S = 60.0
    }
}
