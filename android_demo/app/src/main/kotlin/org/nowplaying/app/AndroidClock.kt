package org.nowplaying.app

import android.app.AlarmManager
import android.content.Context
import android.os.Handler
import android.os.Looper
import android.os.SystemClock
import org.nowplaying.core.listen.Clock

/** The clock since boot. An alarm ends a rest, for a sleeping phone counts no seconds. */
class AndroidClock(context: Context) : Clock {
    private val alarms = context.getSystemService(AlarmManager::class.java)
    private val main = Handler(Looper.getMainLooper())
    private val lock = Object()
    private var isWoken = false
    private val onAlarm = AlarmManager.OnAlarmListener { wake() }

    override fun nowS(): Double = SystemClock.elapsedRealtime() / 1000.0

    override fun waitS(seconds: Double, wakesPhone: Boolean) {
        val untilMs = SystemClock.elapsedRealtime() + (1000 * seconds).toLong()
        if (wakesPhone) {
            alarms.setExact(AlarmManager.ELAPSED_REALTIME_WAKEUP, untilMs, "look", onAlarm, main)
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

    override fun wake() {
        synchronized(lock) {
            isWoken = true
            lock.notifyAll()
        }
    }
}
