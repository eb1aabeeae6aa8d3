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
import org.nowplaying.core.listen.Session
import org.nowplaying.core.loop.Phone

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

    /** Whether it has ended, though its thread may still be at work. */
    @Volatile var isStopped = false
        private set

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
            opened.errors.forEach { app.log.add(getString(R.string.log_error, it)) }
            val news = SessionNews(this, notifier)
            try {
                val recognizer = Phone.SongRecognizer { samples ->
                    news.recognizing()
                    opened.recognizer.recognize(samples)
                }
                val running = Session(
                    opened.detector, recognizer, RecorderMicrophone(this), clock, AndroidDeviceState(this),
                    app.settings.preferences(), news,
                )
                session = running
                pass(running)
                if (!isStopped && !isOutdated) {
                    running.run()
                }
            } finally {
                session = null
                news.count()
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

    /** Tells of an error, which ends a query without an answer. */
    fun report(error: Throwable) {
        app.log.add(getString(R.string.log_error, error.message ?: error.javaClass.simpleName))
        app.log.queryEnded(null)
    }

    /** Shows another text in the notification. */
    fun showText(changed: String) {
        text = changed
        notifier.showListening(changed)
    }

    /** Ends the session after a query, where it was not asked to listen on. */
    fun endUnlessEnabled() {
        if (!isEnabled && !app.log.isQuerying) {
            session?.stop()
        }
    }

    companion object {
        const val LISTEN = "org.nowplaying.app.LISTEN"
        const val QUERY = "org.nowplaying.app.QUERY"
        const val STOP = "org.nowplaying.app.STOP"
        const val PACKS_CHANGED = "org.nowplaying.app.PACKS_CHANGED"
        private const val CHANGED = "org.nowplaying.app.CHANGED"

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
