package org.nowplaying.app

import android.app.AlarmManager
import android.content.Context
import android.os.Handler
import android.os.Looper
import android.os.PowerManager
import android.os.SystemClock
import org.nowplaying.core.listen.Clock

/** The clock since boot. An alarm ends a rest, because a sleeping phone does not run timers. */
class AndroidClock(context: Context) : Clock {
    private val alarms = context.getSystemService(AlarmManager::class.java)
    private val main = Handler(Looper.getMainLooper())
    private val lock = Object()
    private var isWoken = false
    private val awake = context.getSystemService(PowerManager::class.java)
        .newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "nowplaying:listen")
        .apply { setReferenceCounted(false) }
    private val onAlarm = AlarmManager.OnAlarmListener {
        // An alarm keeps the phone awake only until this returns; an open microphone does, but opening it takes a moment.
        awake.acquire(OPENING_MS)
        wake()
    }

    override fun nowS(): Double = SystemClock.elapsedRealtime() / 1000.0

    override fun waitS(seconds: Double, wakesPhone: Boolean) {
        val untilMs = SystemClock.elapsedRealtime() + (1000 * seconds).toLong()
        if (wakesPhone) {
            setAlarm(untilMs)
        }
        synchronized(lock) {
            while (!isWoken) {
                val leftMs = untilMs - SystemClock.elapsedRealtime()
                if (leftMs <= 0) {
                    break
                }
                lock.wait(leftMs)
            }
            isWoken = false
        }
        if (wakesPhone) {
            alarms.cancel(onAlarm)
        }
    }

    private fun setAlarm(untilMs: Long) {
        val type = AlarmManager.ELAPSED_REALTIME_WAKEUP
        try {
            alarms.setExact(type, untilMs, "listen", onAlarm, main)
        } catch (refused: SecurityException) {
            // Some Android versions reserve exact alarms for alarm clocks; then the system chooses the time.
            alarms.setWindow(type, untilMs, LATEST_MS, "listen", onAlarm, main)
        }
    }

    override fun wake() {
        synchronized(lock) {
            isWoken = true
            lock.notifyAll()
        }
    }

    private companion object {
        const val LATEST_MS = 600_000L
        const val OPENING_MS = 5_000L
    }
}
