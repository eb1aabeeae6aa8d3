package org.nowplaying.app

import android.app.PendingIntent
import android.appwidget.AppWidgetManager
import android.appwidget.AppWidgetProvider
import android.content.ComponentName
import android.content.Context
import android.content.Intent
import android.widget.RemoteViews

/** The last song on the home screen, with a button that asks. */
class SongWidget : AppWidgetProvider() {
    override fun onUpdate(context: Context, manager: AppWidgetManager, ids: IntArray) =
        manager.updateAppWidget(ids, views(context))

    companion object {
        /** Redraws every widget, after the history has changed. */
        fun update(context: Context) {
            val manager = context.getSystemService(AppWidgetManager::class.java) ?: return
            val ids = manager.getAppWidgetIds(ComponentName(context, SongWidget::class.java))
            if (ids.isNotEmpty()) {
                manager.updateAppWidget(ids, views(context))
            }
        }

        fun views(context: Context): RemoteViews {
            val localized = Languages.localized(context)
            val views = RemoteViews(context.packageName, R.layout.widget)
            val last = context.app.history.last()
            val opens = if (last == null) {
                views.setTextViewText(R.id.title, localized.getString(R.string.app_name))
                views.setTextViewText(R.id.artist, localized.getString(R.string.nothing_heard))
                Intent(context, MainActivity::class.java)
            } else {
                val (title, artist) = localized.namesOf(last.title, last.artist)
                views.setTextViewText(R.id.title, title)
                views.setTextViewText(R.id.artist, artist)
                SongActivity.intent(context, last.trackId)
            }
            views.setOnClickPendingIntent(R.id.last, pending(context, 1, opens))
            views.setOnClickPendingIntent(R.id.ask, pending(context, 2, Intent(context, AskActivity::class.java)))
            return views
        }

        private fun pending(context: Context, number: Int, intent: Intent): PendingIntent {
            val flags = PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT
            return PendingIntent.getActivity(context, number, intent.addFlags(Intent.FLAG_ACTIVITY_NEW_TASK), flags)
        }
    }
}
