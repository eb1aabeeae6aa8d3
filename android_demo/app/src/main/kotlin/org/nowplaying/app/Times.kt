package org.nowplaying.app

import android.content.Context
import android.icu.text.DateFormat as IcuFormat
import android.text.format.DateFormat
import java.time.Instant
import java.time.LocalDate
import java.time.ZoneId
import java.time.temporal.ChronoUnit
import java.util.Calendar
import java.util.Date

/** Returns a day as a person says it: today, yesterday, the weekday within a week, else the date. */
fun Context.dayText(timeMs: Long, nowMs: Long = System.currentTimeMillis()): String {
    val day = dayOf(timeMs)
    val today = dayOf(nowMs)
    return when (ChronoUnit.DAYS.between(day, today)) {
        0L -> getString(R.string.today)
        1L -> getString(R.string.yesterday)
        in 2..6 -> patternText("EEEE", timeMs)
        else -> patternText(if (day.year == today.year) "dMMMM" else "dMMMMyyyy", timeMs)
    }
}

/** Returns a time by what is to be in it, in the app's own language, which may not be the phone's. */
private fun Context.patternText(skeleton: String, timeMs: Long): String {
    val locale = resources.configuration.locales[0]
    return IcuFormat.getInstanceForSkeleton(skeleton, locale).format(Date(timeMs))
}

/** Returns the time of day. */
fun Context.timeText(timeMs: Long): String = patternText(if (DateFormat.is24HourFormat(this)) "Hm" else "hm", timeMs)

/** Returns day and time, such as "Today 10:18". */
fun Context.whenText(timeMs: Long): String = getString(R.string.day_time, dayText(timeMs), timeText(timeMs))

/** Returns a time of day that is given in minutes since midnight. */
fun Context.minuteText(minute: Int): String {
    val time = Calendar.getInstance()
    time.set(Calendar.HOUR_OF_DAY, minute / 60)
    time.set(Calendar.MINUTE, minute % 60)
    return timeText(time.timeInMillis)
}

/** Returns a day's number since 1970, where the phone is. */
fun dayNumber(timeMs: Long): Long = dayOf(timeMs).toEpochDay()

private fun dayOf(timeMs: Long): LocalDate = Instant.ofEpochMilli(timeMs).atZone(ZoneId.systemDefault()).toLocalDate()
