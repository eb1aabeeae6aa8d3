package org.nowplaying.app

import android.content.Context
import android.text.format.DateFormat
import android.text.format.DateUtils
import java.time.Instant
import java.time.LocalDate
import java.time.ZoneId
import java.time.temporal.ChronoUnit
import java.util.Calendar

/** Returns a day as a person says it: today, yesterday, the weekday within a week, else the date. */
fun Context.dayText(timeMs: Long, nowMs: Long = System.currentTimeMillis()): String {
    val day = dayOf(timeMs)
    val today = dayOf(nowMs)
    return when (ChronoUnit.DAYS.between(day, today)) {
        0L -> getString(R.string.today)
        1L -> getString(R.string.yesterday)
        in 2..6 -> DateUtils.formatDateTime(this, timeMs, DateUtils.FORMAT_SHOW_WEEKDAY)
        else -> {
            val year = if (day.year == today.year) DateUtils.FORMAT_NO_YEAR else DateUtils.FORMAT_SHOW_YEAR
            DateUtils.formatDateTime(this, timeMs, DateUtils.FORMAT_SHOW_DATE or year)
        }
    }
}

/** Returns the time of day. */
fun Context.timeText(timeMs: Long): String = DateUtils.formatDateTime(this, timeMs, DateUtils.FORMAT_SHOW_TIME)

/** Returns day and time, such as "Today 10:18". */
fun Context.whenText(timeMs: Long): String = getString(R.string.day_time, dayText(timeMs), timeText(timeMs))

/** Returns a time of day that is given in minutes since midnight. */
fun Context.minuteText(minute: Int): String {
    val time = Calendar.getInstance()
    time.set(Calendar.HOUR_OF_DAY, minute / 60)
    time.set(Calendar.MINUTE, minute % 60)
    return DateFormat.getTimeFormat(this).format(time.time)
}

/** Returns a day's number since 1970, where the phone is. */
fun dayNumber(timeMs: Long): Long = dayOf(timeMs).toEpochDay()

private fun dayOf(timeMs: Long): LocalDate = Instant.ofEpochMilli(timeMs).atZone(ZoneId.systemDefault()).toLocalDate()
