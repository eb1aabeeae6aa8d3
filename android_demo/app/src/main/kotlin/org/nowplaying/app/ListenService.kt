package org.nowplaying.app

import android.Manifest
import android.app.Service
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.content.pm.ServiceInfo
import android.os.Build
import android.os.Handler
import android.os.IBinder
import android.os.Looper
import org.nowplaying.core.history.History
import org.nowplaying.core.listen.Session
import org.nowplaying.core.loop.Answer
import org.nowplaying.core.loop.Event
import org.nowplaying.core.loop.State

/**
 * Listens in the foreground, with a notification that says so and stops it.
 *
 * It starts from a visible screen only, as Android demands of services with a microphone, and does not come back by
 * itself when the system has ended it.
 */
class ListenService : Service() {
    private lateinit var notifier: Notifier
    private lateinit var clock: AndroidClock
    private val main = Handler(Looper.getMainLooper())
    private var thread: Thread? = null

    /** Text of the notification. */
    @Volatile private var text = ""

    @Volatile private var session: Session? = null

    @Volatile private var isEnabled = false

    @Volatile private var isStopped = false

    /** Whether packs have changed since the thread began to open them. */
    @Volatile private var isOutdated = false

    override fun onBind(intent: Intent?): IBinder? = null

    override fun attachBaseContext(base: Context) = super.attachBaseContext(Languages.localized(base))

    override fun onCreate() {
        notifier = Notifier(this)
        clock = AndroidClock(this)
        text = getString(R.string.notification_starting)
    }

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        val action = intent?.action
        val isAllowed = checkSelfPermission(Manifest.permission.RECORD_AUDIO) == PackageManager.PERMISSION_GRANTED
        val isTooLate = (action == CHANGED || action == PACKS_CHANGED) && thread == null
        if (action == STOP || isTooLate || !isAllowed) {
            end()
            return START_NOT_STICKY
        }
        if (action == QUERY) {
            app.log.queryStarted()
        }
        if (!beForeground()) {
            end()
            return START_NOT_STICKY
        }
        if (action == LISTEN) {
            isEnabled = true
        }
        if (action == PACKS_CHANGED) {
            // The thread ends, and the next one opens the packs anew.
            isOutdated = true
            session?.stop()
        } else {
            session?.let { pass(it) } ?: startThread()
        }
        return START_NOT_STICKY
    }

    override fun onDestroy() {
        end()
        super.onDestroy()
    }

    /**
     * Returns whether Android lets it listen now.
     *
     * Android 12 and newer refuse a service in the foreground that starts while nothing of the app is visible (an
     * IllegalStateException), Android 14 and newer one with a microphone (a SecurityException).
     */
    private fun beForeground(): Boolean {
        val notification = notifier.listening(text)
        try {
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
                startForeground(Notifier.LISTENING_ID, notification, ServiceInfo.FOREGROUND_SERVICE_TYPE_MICROPHONE)
            } else {
                startForeground(Notifier.LISTENING_ID, notification)
            }
        } catch (refused: SecurityException) {
            report(refused)
            return false
        } catch (refused: IllegalStateException) {
            report(refused)
            return false
        }
        return true
    }

    private fun end() {
        isStopped = true
        session?.stop()
        clock.wake()
        stopForeground(STOP_FOREGROUND_REMOVE)
        stopSelf()
    }

    private fun pass(running: Session) {
        running.set(app.settings.preferences())
        running.setEnabled(isEnabled)
        if (app.log.isQuerying) {
            running.query()
        }
    }

    private fun startThread() {
        if (thread == null) {
            app.log.setRunning(true)
            thread = Thread({ listen() }, "listening").also { newest = it }
            thread?.start()
        }
    }

    private fun listen() {
        try {
            isOutdated = false
            val opened = app.library.open()
            val listener = SessionListener()
            try {
                val running = Session(
                    opened.detector, { opened.recognizer.recognize(it) }, RecorderMicrophone(this), clock,
                    AndroidDeviceState(this), app.settings.preferences(), listener,
                )
                session = running
                pass(running)
                if (!isStopped && !isOutdated) {
                    running.run()
                }
            } finally {
                session = null
                listener.count()
                opened.close()
            }
        } catch (error: Exception) {
            giveUp(error)
        } finally {
            main.post { ended() }
        }
    }

    /** Ends the service with its thread, unless it was started again meanwhile. */
    private fun ended() {
        val isNewest = thread === newest
        thread = null
        if (!isStopped && (isEnabled || app.log.isQuerying)) {
            startThread()
            return
        }
        // Where models and packs are still being opened when the user stops and starts again, another service listens now.
        if (isNewest) {
            app.log.setRunning(false)
        }
        if (!isStopped) {
            stopForeground(STOP_FOREGROUND_REMOVE)
            stopSelf()
        }
    }

    /** After an error the service must not appear to listen. */
    private fun giveUp(error: Throwable) {
        report(error)
        isEnabled = false
    }

    private fun report(error: Throwable) {
        app.log.add(getString(R.string.log_error, error.message ?: error.javaClass.simpleName))
        app.log.queryEnded(null)
    }

    /** Receives what happens in the session, on its thread. */
    private inner class SessionListener : Session.Listener {
        private val log = app.log
        private val history = History(app.history)
        private var uncountedS = 0.0

        override fun onEvent(event: Event) {
            if (event.answer != null) {
                count(wakes = 1)
            }
            when (event.kind) {
                Event.Kind.RECOGNIZED -> recognized(event.answer)
                Event.Kind.UNKNOWN -> log.add(getString(R.string.log_unknown))
                Event.Kind.SKIPPED -> log.add(getString(R.string.log_skipped, reasonText(event.reason)))
                // An early look that found nothing is no news: the capture goes on.
                Event.Kind.LOOKED -> Unit
                else -> if (event.state == State.CAPTURING && event.reason == "music") log.add(getString(R.string.log_capturing))
            }
        }

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
            if (isStopped) {
                return
            }
            if (reason == null) {
                log.add(getString(R.string.log_listens))
                text = getString(R.string.notification_listening)
            } else {
                log.add(getString(R.string.log_paused, reasonText(reason)))
                text = getString(R.string.notification_paused, reasonText(reason))
            }
            notifier.showListening(text)
        }

        override fun onAnswer(answer: Answer) {
            count(wakes = 1)
            if (answer.track != null) {
                recognized(answer)
            }
            log.queryEnded(answer)
            endUnlessEnabled()
        }

        override fun onError(error: Exception) {
            report(error)
            endUnlessEnabled()
        }

        private fun recognized(answer: Answer) {
            val song = history.add(answer, System.currentTimeMillis())
            log.add(getString(R.string.log_song, answerText(answer)))
            notifier.showSong(song, app.settings.showsOnLockScreen)
            count(songs = 1)
            app.automation.announce(song)
            SongWidget.update(this@ListenService)
        }

        private fun endUnlessEnabled() {
            if (!isEnabled && !log.isQuerying) {
                session?.stop()
            }
        }
    }

    companion object {
        const val LISTEN = "org.nowplaying.app.LISTEN"
        const val QUERY = "org.nowplaying.app.QUERY"
        const val STOP = "org.nowplaying.app.STOP"
        const val PACKS_CHANGED = "org.nowplaying.app.PACKS_CHANGED"
        private const val CHANGED = "org.nowplaying.app.CHANGED"
        private const val COUNT_EVERY_S = 60.0

        /** The thread that was started last, by this service or by the one before it; of the main thread. */
        private var newest: Thread? = null

        /** Starts listening or a query; from a visible screen, with the permission for the microphone. */
        fun start(context: Context, action: String) {
            context.startForegroundService(Intent(context, ListenService::class.java).setAction(action))
        }

        fun stop(context: Context) {
            context.stopService(Intent(context, ListenService::class.java))
        }

        /** Applies changed settings to a running service. */
        fun settingsChanged(context: Context) = tell(context, CHANGED)

        /** Lets a running service search the packs as they are now. */
        fun packsChanged(context: Context) = tell(context, PACKS_CHANGED)

        private fun tell(context: Context, action: String) {
            if (context.app.log.isRunning) {
                context.startService(Intent(context, ListenService::class.java).setAction(action))
            }
        }
    }
}
